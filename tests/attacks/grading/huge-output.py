# ---
# tries: 60 MB printed; the answers are right
# kind: accident
# score: {}
# ---

# %% free
for _ in range(60):
    print("x" * (1 << 20))
