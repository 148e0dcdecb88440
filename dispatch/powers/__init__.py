"""The power list (权力清单): what may be punished or compelled, by which law, by whom, and after which matter."""
