"""What can be measured of any generator on real video, without knowing what the video shows."""
