"""callpost's own API: subscriptions in the keys of the configuration, events, deliveries."""
