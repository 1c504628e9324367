"""The platform in containers: brought up, tried, measured, taken down."""
