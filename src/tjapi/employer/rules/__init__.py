"""What a campaign may become, who belongs to which group, and what a list of people says. Pure."""
