"""Where programs look for the implementation of rclpy."""
