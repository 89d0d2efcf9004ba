"""`doctor`: what is installed, what is missing, which engine works, each with the command that fixes it."""
