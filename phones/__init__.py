"""Our own SIP and RTP telephones, carriers and ears: for the demo and for tests."""
