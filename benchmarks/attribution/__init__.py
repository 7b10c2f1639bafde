"""What do the engine and other methods find on simulated persons with a known truth?"""
