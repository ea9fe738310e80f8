"""Pages made on the server: the neighbours' portal and the first account. They work without JavaScript."""
