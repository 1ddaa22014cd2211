"""The operator's door: the control API, spoken over any socket that is handed in."""
