"""What people look at: figures, the page, the folder of a run. Nothing here decides anything."""
