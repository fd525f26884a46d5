"""The actions of `midline corpus`, one file each."""
