"""A model of one's own from a folder of videos: `framecast train my_videos`, and `framecast.train("my_videos")`.

`settings` is what a person says, `videos` what is found, `sizes` and `speed` what fits into the time, `plan` all of this.
`configs` are the two configurations that a plan stands for, and `run` is what is then done.
"""
