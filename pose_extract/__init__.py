"""Videos to keypoint tracks: decoding, pose estimation, tracking and the track file."""
