"""Links that tell who tapped them: addresses fixed when they are made, clicks as facts."""
