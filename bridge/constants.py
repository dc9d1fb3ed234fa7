"""Constants, as rclpy has them."""

S_TO_NS = 1_000_000_000
