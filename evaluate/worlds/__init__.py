"""What can be measured of a world that is played: against its true environment, or against a recording with actions."""
