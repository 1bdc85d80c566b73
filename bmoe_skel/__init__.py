"""B-MoE on skeletons: body-part experts and a router that recognise micro-actions from keypoint tracks."""
