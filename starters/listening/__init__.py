"""Amazon's notifications, taken from SQS and told to the workflows they are about."""
