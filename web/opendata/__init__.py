"""Open data: what is nobody's, for anybody's map. OGC API – Features and vector tiles, in a process of its own."""
