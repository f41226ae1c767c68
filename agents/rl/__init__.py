"""Reinforcement learning: PPO in NumPy and in torch, SAC and DQN, replay buffers, and vector environments."""
