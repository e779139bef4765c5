"""Where in the model it dies, confirmed by a replay with torch alone, and the smallest script that still dies."""
