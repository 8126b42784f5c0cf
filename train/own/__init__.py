"""A model of one's own from a folder of videos: `framecast train my_videos`, and `framecast.train("my_videos")`.

`settings` is what a person says, `videos` what is found, `sizes` and `speed` what fits into the time, `plan` all of this together,
`configs` the two configurations that it stands for, and `run` what is then done.
"""
