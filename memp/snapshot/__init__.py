"""What was folded, kept on disk with the position it had reached, so that opening folds only what came since."""
