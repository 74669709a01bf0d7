"""What observers of live streams watch: a source becomes a list of what was seen and when, and answers questions.

The replay of a football match needs nothing; a camera needs OpenCV (group `vision`). See docs/live.md.
"""
