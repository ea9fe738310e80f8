"""Whom to send: for each need of a run card the best units by road, with the reasons, and what is lost if they go.

`situation` reads everything once, of now or of any past moment; `recommend` and `recommend_together` are functions of
it that touch no database: asked in a thread, they serve the desk, the what-if and the bench alike.
"""

from __future__ import annotations
