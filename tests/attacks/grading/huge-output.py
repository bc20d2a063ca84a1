# ---
# tries: 200 MB printed; the answers are right
# kind: accident
# score: {}
# ---

# %% free
for _ in range(200):
    print("x" * (1 << 20))
