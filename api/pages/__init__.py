"""The web page: what a person sees of the region, a building and a point, and what they can answer there."""
