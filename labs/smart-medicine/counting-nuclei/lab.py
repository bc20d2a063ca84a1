# %% [markdown] lang="zh"
# # 数清细胞核
#
# 设想长春一间实验室，每天要在荧光显微镜下数细胞核：加药以后，细胞少了多少？核变大了还是变小了？一张图一百多个核，挨在一起的最容易数错。**程序数的，你敢写进报告吗？**
#
# 今天用一张真实的图：512×512 像素，一位专家标出了其中的每一个核。它来自开源软件 StarDist 的示例。
#
# **学完以后，你能够**
# - 由标签图得到个数和面积；
# - 在只有一张图时，诚实地划分训练和测试；
# - 造出能把相邻的核分开的训练目标，写出 U-Net 的前向计算；
# - 用一对一匹配的 F1 给“数得对不对”打分，并和做到最好的传统方法比较。
#
# **需要的基础**：PyTorch 的 `nn.Module` 和训练循环，NumPy 切片和布尔索引。**时间**：约 150 分钟，运算约一分钟。

# %% [markdown] lang="en"
# # Counting nuclei
#
# Imagine a laboratory in Changchun that counts cell nuclei under a fluorescence microscope every day: how many cells are left after a drug, and have the nuclei grown or shrunk? An image has more than a hundred, and those that touch are easily miscounted. **Would you put a program's count into the report?**
#
# Today's image is real: 512×512 pixels in which an expert marked every nucleus. It is an example image of the open-source software StarDist.
#
# **Afterwards you can**
# - get count and areas from a label image;
# - split training from test honestly when there is one image only;
# - make a training target that separates neighbours, and write the forward pass of a U-Net;
# - score "counted right" by F1 with one-to-one matching, and compare with the classical way at its best.
#
# **You need**: `nn.Module` and the training loop in PyTorch, slices and Boolean indexing in NumPy. **Time**: about 150 minutes, about one of them computing.

# %% [markdown] lang="zh"
# ## 怎么做
#
# | 题 | 内容 | 分 |
# | --- | --- | --- |
# | 1 | 个数和面积 | 3 |
# | 2 | 一张图怎么划分 | 3 |
# | 3 | 一对一匹配的 F1 | 4 |
# | 4 | 三类目标 | 4 |
# | 5 | U-Net 的前向计算 | 4 |
# | 6 | 从概率到一个个核 | 4 |
# | 7 | 开放题：一张图不能证明什么 | 4 |
#
# 这是进阶级实验：每一节**先自己试，再看讲解**。每题后面有测试：通过时没有输出，没通过时会说哪里不对。提交后还会跑一批看不见的测试，内容不超出题目说明。提示一共三步，越往后越具体，先别点开。

# %% [markdown] lang="en"
# ## How it works
#
# | item | about | points |
# | --- | --- | --- |
# | 1 | count and areas | 3 |
# | 2 | how to split one image | 3 |
# | 3 | F1 with one-to-one matching | 4 |
# | 4 | a target of three classes | 4 |
# | 5 | the forward pass of a U-Net | 4 |
# | 6 | from probabilities to nuclei | 4 |
# | 7 | open question: what can't one image prove? | 4 |
#
# This is an advanced lab: in each section **try first, then read**. Tests follow each item: silent when they pass, and when they don't they say what is wrong. After you submit, more tests run that you can't see; they ask nothing beyond the item's text. Hints come in three steps, each more concrete; leave them folded at first.

# %% nbgrader={"grade_id": "load", "locked": true}
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy import ndimage
from torch import nn
from torch.nn import functional as F

import ulab

ulab.use_fonts()
device = ulab.device()
nuclei = ulab.load("nuclei")
mask = nuclei.mask.astype(int)


def scaled(image, low, high):
    """Brightness from 0 to 1; the root lifts dim nuclei beside very bright ones."""
    return np.sqrt(((image - low) / (high - low)).clip(0, 1))


# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 5))
axes[0].imshow(np.sqrt(nuclei.image), cmap="gray")
axes[0].set_title(ulab.say(zh="荧光图像（亮度开方）", en="fluorescence (root of brightness)"))
axes[1].imshow(np.where(mask > 0, mask * 37 % 19, np.nan), cmap="tab20", interpolation="nearest")
axes[1].set_facecolor("black")
axes[1].set_title(ulab.say(zh="专家的标注，一种颜色一个核", en="the expert's marks, a colour each"))
for axis in axes:
    axis.set(xlabel=ulab.say(zh="列（像素）", en="column (px)"))
axes[0].set_ylabel(ulab.say(zh="行（像素）", en="row (px)"))
plt.show()

# %% [markdown] lang="zh"
# ## 一、数一数
#
# **先猜后算。** 左图里大约有多少个核？用不超过一分钟估一个数，写下来。

# %% [markdown] lang="en"
# ## 1. Count
#
# **Predict, then run.** About how many nuclei are in the left image? Take a minute at most, and write a number down.

# %%
my_guess = None

# %%
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
print("mask.max() =", mask.max())

# %% [markdown] lang="zh"
# **标签图**（label image）里，每个像素写着它属于几号核，0 是背景。`mask.max()` 是 183：那就是有 183 个核吗？
#
# ### 第 1 题（3 分）：个数和面积
#
# 写 `count_and_areas(labels)`：返回 `(count, areas)`。`count` 是核的个数（整数），`areas` 是按编号从小到大、每个核的像素数（整数数组）。编号可能不连续；背景不算；图里也可能没有背景像素；一个核也没有时返回 0 和空数组。
#
# <details><summary>提示 1：概念</summary>
#
# 标注的人删掉一个画错的核，编号就空出一个。最大的编号不是个数。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `np.unique` 有一个参数，能同时给出每个值出现几次。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 先去掉背景的像素，再 `np.unique(…, return_counts=True)`。
# </details>

# %% [markdown] lang="en"
# In a **label image** each pixel says to which nucleus it belongs, 0 being background. `mask.max()` is 183: are there 183 nuclei?
#
# ### Item 1 (3 points): count and areas
#
# Write `count_and_areas(labels)`, returning `(count, areas)`: `count` is the number of nuclei (an integer), `areas` their numbers of pixels in the order of their labels (an array of integers). Labels may have gaps; background doesn't count, and there may be no background pixel at all; without any nucleus return 0 and an empty array.
#
# <details><summary>Hint 1: the idea</summary>
#
# When the expert deletes a nucleus drawn by mistake, its label stays free. The largest label is not the count.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `np.unique` has a parameter that also gives how often each value occurs.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Drop the background's pixels, then `np.unique(…, return_counts=True)`.
# </details>


# %% nbgrader={"grade_id": "count", "solution": true}
def count_and_areas(labels):
    ### BEGIN SOLUTION
    found, areas = np.unique(labels[labels > 0], return_counts=True)
    return len(found), areas
    ### END SOLUTION


# %% nbgrader={"grade_id": "count-test", "grade": true, "points": 3}
_count, _areas = count_and_areas(mask)
assert _count != 183, ulab.say(
    zh="得到 183：这是最大的编号。编号有空缺。", en="183 is the largest label. There are gaps."
)
assert _count != 126 and len(_areas) != 126, ulab.say(
    zh="得到 126：多了一个，背景也算进去了。", en="126 is one too many: background was counted."
)
assert _count == 125 and len(_areas) == 125, ulab.say(
    zh=f"应当是 125 个核、125 个面积，得到 {_count} 和 {len(_areas)}。",
    en=f"There are 125 nuclei and 125 areas, not {_count} and {len(_areas)}.",
)
### BEGIN HIDDEN TESTS
_made = np.array([[0, 7, 7, 2], [0, 7, 0, 2], [9, 0, 0, 2]])
_count, _areas = count_and_areas(_made)
assert _count == 3 and np.asarray(_areas).tolist() == [3, 3, 1], ulab.say(
    zh="小图里有 2、7、9 号三个核，面积应依次为 3、3、1。",
    en="A small image has nuclei 2, 7 and 9, with areas 3, 3 and 1 in that order.",
)
_count, _areas = count_and_areas(np.array([[5, 5], [5, 4]]))
assert _count == 2 and np.asarray(_areas).tolist() == [1, 3], ulab.say(
    zh="没有背景的小图也要数对。", en="An image without background must be counted too."
)
_count, _areas = count_and_areas(np.zeros((4, 4), dtype=int))
assert _count == 0 and len(_areas) == 0, ulab.say(
    zh="一个核也没有时，应返回 0 和空数组。", en="Without any nucleus return 0 and an empty array."
)
for _seed in (1, 2, 3):
    _made = np.random.default_rng(_seed).integers(0, 40, (20, 20)) * 3
    _wanted = {int(v): int((_made == v).sum()) for v in sorted(set(_made.ravel()) - {0})}
    _count, _areas = count_and_areas(_made)
    assert _count == len(_wanted) and np.asarray(_areas).tolist() == list(_wanted.values()), ulab.say(
        zh="随机的标签图，个数或面积不对。", en="Count or areas are wrong for a random label image."
    )
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# ## 二、只有一张图
#
# **先自己试**：要训练，也要测试，只有一张图。随机取一些 96×96 的图块训练、另一些测试，行不行？想好了再往下看。
#
# 不行：随机的图块互相重叠，测试的像素训练时已经见过。我们把**左边**用来训练，**右边**用来测试，中间**空出一条**谁也不用：一个核的直径约 25 像素，空得太窄，同一个核会一半在左、一半在右。
#
# ### 第 2 题（3 分）：一张图怎么划分
#
# - `split_with_gap(width, gap)`：返回两个列的 `slice`：`(left, right)`。中间正好空出 `gap` 列，左边 `(width - gap) // 2` 列，其余都归右边。
# - `patch_corners(random, n, size, height, stop)`：从行 0 到 `height`、列 0 到 `stop`（不含）的区域里，随机取 `n` 个边长 `size` 的图块，返回左上角，形状 `(n, 2)` 的整数数组，每行是（行，列）。图块**完全**在区域内，每个可能的位置机会相等。`random` 是 `np.random.Generator`。
#
# <details><summary>提示 1：概念</summary>
#
# 边长 3 的图块放进 5 列，左上角可以在第 0、1、2 列：三个位置。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `random.integers(低, 高, n)` 不含“高”。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 行和列各取一次，`np.stack([行, 列], axis=1)`。
# </details>

# %% [markdown] lang="en"
# ## 2. A single image
#
# **Try first**: there must be training and test, and there is one image. Some random patches of 96×96 for training and others for testing: will that do? Decide before you read on.
#
# It won't: random patches overlap, so the test's pixels were seen in training. We train on the **left** and test on the **right**, and leave a **strip between** unused: a nucleus is about 25 pixels wide, and across a narrow strip the same one would be half left and half right.
#
# ### Item 2 (3 points): how to split one image
#
# - `split_with_gap(width, gap)`: return two `slice`s of columns, `(left, right)`, with exactly `gap` columns between them: `(width - gap) // 2` on the left, all others on the right.
# - `patch_corners(random, n, size, height, stop)`: from the region of rows 0 to `height` and columns 0 to `stop` (exclusive) draw `n` patches of side `size`; return their upper left corners as an integer array of shape `(n, 2)`, each (row, column). Patches lie **wholly** inside, and each possible place is equally likely. `random` is a `np.random.Generator`.
#
# <details><summary>Hint 1: the idea</summary>
#
# A patch of side 3 in 5 columns can begin at columns 0, 1 and 2: three places.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `random.integers(low, high, n)` excludes `high`.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Draw rows once and columns once, then `np.stack([rows, columns], axis=1)`.
# </details>


# %% nbgrader={"grade_id": "split", "solution": true}
def split_with_gap(width, gap):
    ### BEGIN SOLUTION
    stop = (width - gap) // 2
    return slice(0, stop), slice(stop + gap, width)


def patch_corners(random, n, size, height, stop):
    rows = random.integers(0, height - size + 1, n)
    columns = random.integers(0, stop - size + 1, n)
    return np.stack([rows, columns], axis=1)
    ### END SOLUTION


# zh: 接着写 patch_corners(random, n, size, height, stop)
# en: Now write patch_corners(random, n, size, height, stop)

# %% nbgrader={"grade_id": "split-test", "grade": true, "points": 3}
@ulab.at_student
def _corners(seed, n, size, height, stop):
    return np.asarray(patch_corners(np.random.default_rng(seed), n, size, height, stop))


def _columns(width, gap):
    left, right = split_with_gap(width, gap)
    return list(range(width))[left], list(range(width))[right]


_left, _right = _columns(20, 4)
assert _right[0] - _left[-1] - 1 == 4, ulab.say(
    zh=f"中间应当空出 4 列，现在空出 {_right[0] - _left[-1] - 1} 列。",
    en=f"4 columns should stay unused, now it is {_right[0] - _left[-1] - 1}.",
)
assert _left == list(range(8)) and _right == list(range(12, 20)), ulab.say(
    zh="20 列空 4 列：左边 0–7，右边 12–19。", en="20 columns with a gap of 4: 0–7 left, 12–19 right."
)
_got = _corners(0, 50, 96, 512, 240)
assert _got.shape == (50, 2) and _got.dtype.kind in "iu", ulab.say(
    zh=f"应返回形状 (50, 2) 的整数数组，得到 {_got.shape}。",
    en=f"Return an integer array of shape (50, 2), not {_got.shape}.",
)
assert _got[:, 0].max() > 200, ulab.say(
    zh="行和列反了：图有 512 行，左上角的行号却从不超过 200。",
    en="Rows and columns are swapped: of 512 rows no corner is below 200.",
)
### BEGIN HIDDEN TESTS
for _width, _gap in ((512, 32), (21, 4), (100, 0), (33, 8)):
    _left, _right = _columns(_width, _gap)
    _stop = (_width - _gap) // 2
    assert _left == list(range(_stop)) and _right == list(range(_stop + _gap, _width)), ulab.say(
        zh=f"{_width} 列、空 {_gap} 列时划分不对。", en=f"Wrong split of {_width} columns, gap {_gap}."
    )
_got = _corners(1, 3000, 3, 6, 5)
assert _got.min() >= 0 and _got[:, 0].max() <= 3 and _got[:, 1].max() <= 2, ulab.say(
    zh="有的图块伸到区域外面去了：测试区的像素会混进训练。",
    en="Some patches reach outside the region: pixels of the test side get into training.",
)
_seen = np.bincount(_got[:, 0] * 3 + _got[:, 1], minlength=12)
assert (_seen > 0).all(), ulab.say(
    zh="有的位置从来取不到，边长 3 放进 6 行 5 列应有 4×3 个位置：上限少了 1？",
    en="Some places never come: side 3 in 6 rows and 5 columns has 4×3 places. Is the limit 1 short?",
)
assert _seen.min() > 150, ulab.say(
    zh="各个位置的机会不相等。", en="The places aren't equally likely."
)
assert not np.array_equal(_corners(1, 20, 3, 60, 50), _corners(2, 20, 3, 60, 50)), ulab.say(
    zh="换一个 random，图块却没有变：用的不是传进来的生成器。",
    en="Another random gives the same patches: the generator passed in isn't used.",
)
assert np.array_equal(_corners(3, 20, 3, 60, 50), _corners(3, 20, 3, 60, 50)), ulab.say(
    zh="同一个种子得到不同的图块：用的不是传进来的生成器。",
    en="The same seed gives different patches: the generator passed in isn't used.",
)
### END HIDDEN TESTS

# %%
for gap in (0, 16, 32):
    left, right = split_with_gap(512, gap)
    shared = np.intersect1d(mask[:, left], mask[:, right])
    print(gap, ulab.say(zh="像素的间隔，两边共有的核：", en="px apart, nuclei in both:"), (shared > 0).sum())

# %% [markdown] lang="zh"
# 间隔 32 像素才够。下面固定用它：左边 240 列训练，右边 240 列测试。亮度的尺度也**只由左边**决定。少数核特别亮（可能正在分裂），开方以后，暗的核才不会被它们压下去。

# %% [markdown] lang="en"
# 32 pixels are enough. From here on: 240 columns on the left for training, 240 on the right for testing. The scale of brightness, too, comes from the **left alone**. A few nuclei are very bright (perhaps dividing); the square root keeps the dim ones from vanishing beside them.

# %% nbgrader={"grade_id": "sides", "locked": true}
LEFT, RIGHT = slice(0, 240), slice(272, 512)
LOW, HIGH = np.percentile(nuclei.image[:, LEFT], [1, 99.8])
image = scaled(nuclei.image, LOW, HIGH)
test_labels = mask[:, RIGHT]


def drop_small(labels, smallest=30):
    """Without objects of fewer pixels."""
    size = np.bincount(labels.ravel())
    return np.where(size[labels] >= smallest, labels, 0)


def grow(seeds, foreground):
    """Each foreground pixel gets the label of the nearest seed."""
    if not seeds.any():
        return np.zeros_like(seeds)
    nearest = ndimage.distance_transform_edt(seeds == 0, return_distances=False, return_indices=True)
    return seeds[tuple(nearest)] * foreground


def otsu(values):
    """The threshold that separates two groups of brightness best."""
    counts, edges = np.histogram(values, 256)
    centres = (edges[1:] + edges[:-1]) / 2
    below, moment = np.cumsum(counts), np.cumsum(counts * centres)
    spread = (moment[-1] * below - below[-1] * moment) ** 2
    return centres[np.argmax(spread[:-1] / (below * (below[-1] - below))[:-1])]


# %% [markdown] lang="zh"
# ## 三、怎样算数对了
#
# **先自己试**：一种方法把背景和核的像素分得 95% 都对，却把三个挨着的核连成一个。它数得好吗？你会怎样打分？
#
# 像素上的分数（准确率、Dice）看不见粘连。要**按个**打分：预测的一个和真实的一个，重叠的像素除以合起来的像素（**交并比 IoU**）**大于** `threshold`，才算配上；一个只能配一次。
#
# $$\text{F1}=\frac{2\times\text{配上的}}{\text{预测的个数}+\text{真实的个数}}$$
#
# ### 第 3 题（4 分）：一对一匹配的 F1
#
# 写 `object_f1(predicted, true, threshold=0.5)`：两个参数都是标签图，0 是背景，编号互不相干、可能不连续。`threshold` 不小于 0.5（所以一个最多配一个）。两边都没有核返回 1.0，只有一边没有返回 0.0。
#
# <details><summary>提示 1：概念</summary>
#
# 一个核被切成两半：大的一半若超过一半，算配上；小的一半是多数出来的一个。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 对每个预测的核：它盖住了哪些真实的编号，各多少像素？并集 = 两个面积之和减去交集。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 两层循环：预测的编号 → 它盖住的真实编号（去掉 0）→ 算 IoU，大于 `threshold` 就加一。
# </details>

# %% [markdown] lang="en"
# ## 3. What counts as right?
#
# **Try first**: a method gets 95 % of all pixels right, background or nucleus, but joins three touching nuclei into one. Is it good at counting? How would you score it?
#
# Scores of pixels (accuracy, Dice) don't see things stuck together. So score **objects**: a predicted and a true one match if the pixels they share, divided by the pixels of both together (**intersection over union, IoU**), **exceed** `threshold`; each matches once.
#
# $$\text{F1}=\frac{2\times\text{matched}}{\text{number predicted}+\text{number true}}$$
#
# ### Item 3 (4 points): F1 with one-to-one matching
#
# Write `object_f1(predicted, true, threshold=0.5)`: both are label images, 0 is background, the two numberings are independent and may have gaps. `threshold` is at least 0.5 (so one matches at most one). With no nucleus on either side return 1.0, with none on one side only 0.0.
#
# <details><summary>Hint 1: the idea</summary>
#
# A nucleus cut in two: the larger part matches if it is more than half, the smaller one is a nucleus too many.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# For each predicted one: which true labels does it cover, with how many pixels? The union is the sum of both areas less the intersection.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Two loops: predicted labels → true labels that it covers (without 0) → IoU, and one more if it exceeds `threshold`.
# </details>


# %% nbgrader={"grade_id": "matching", "solution": true}
def object_f1(predicted, true, threshold=0.5):
    ### BEGIN SOLUTION
    mine, theirs = np.unique(predicted[predicted > 0]), np.unique(true[true > 0])
    if len(mine) + len(theirs) == 0:
        return 1.0
    matched = 0
    for label in mine:
        here = predicted == label
        for other in np.unique(true[here & (true > 0)]):
            there = true == other
            matched += (here & there).sum() / (here | there).sum() > threshold
    return 2 * matched / (len(mine) + len(theirs))
    ### END SOLUTION


# %% nbgrader={"grade_id": "matching-test", "grade": true, "points": 4}
_true = np.zeros((12, 24), dtype=int)
_true[1:11, 1:11], _true[1:11, 11:21] = 4, 9
_joined = (_true > 0).astype(int)
_value = float(object_f1(_joined, _true))
assert _value <= 1, ulab.say(
    zh=f"F1 = {_value:.2f}，超过了 1：一个预测配上了两个真实的核。IoU 正好 0.5 不算大于 0.5；分母是并集吗？",
    en=f"F1 = {_value:.2f} exceeds 1: one predicted nucleus matched two. An IoU of exactly 0.5 doesn't exceed 0.5; "
    "and is the denominator the union?",
)
assert _value < 0.9, ulab.say(
    zh=f"两个挨着的核被连成一个，F1 却是 {_value:.2f}：这是像素的分数，要按个算。",
    en=f"Two touching nuclei were joined and F1 is {_value:.2f}: that is a score of pixels, count objects.",
)
assert abs(float(object_f1(_true * 3, _true)) - 1) < 1e-9, ulab.say(
    zh="完全正确、只是编号不同，F1 应为 1：编号不用相同。",
    en="All right but for other labels: F1 is 1. Labels need not agree.",
)
_split = _true.copy()
_split[8:11, 1:11] = 2
_value = float(object_f1(_split, _true))
assert abs(_value - 0.8) < 1e-9, ulab.say(
    zh=f"4 号核被切成 7 行和 3 行：配上 2 个，预测 3 个，真实 2 个，F1 应为 0.80，得到 {_value:.2f}。"
    + ("多出来的一块没有算错？" if _value > 0.8 else ""),
    en=f"Nucleus 4 was cut into 7 and 3 rows: 2 matched, 3 predicted, 2 true, so F1 is 0.80, not {_value:.2f}. "
    + ("Did the extra piece cost nothing?" if _value > 0.8 else ""),
)
### BEGIN HIDDEN TESTS
assert float(object_f1(_joined, _joined)) == 1.0, ulab.say(
    zh="同一张标签图和自己比，F1 应为 1。", en="A label image against itself has F1 = 1."
)
_empty = np.zeros_like(_true)
try:
    _value = float(object_f1(_empty, _empty))
except ZeroDivisionError:
    _value = float("nan")
assert _value == 1.0, ulab.say(
    zh="两边都没有核时应返回 1.0。", en="With no nucleus on either side return 1.0."
)
assert float(object_f1(_empty, _true)) == 0.0, ulab.say(
    zh="预测是空的、真实不空，应返回 0。", en="Nothing predicted but something true: 0."
)
assert float(object_f1(_true, _empty)) == 0.0, ulab.say(
    zh="真实是空的、预测不空，应返回 0。", en="Nothing true but something predicted: 0."
)
_half = _empty.copy()
_half[1:6, 1:11] = 1
_one = np.where(_true == 4, 4, 0)
assert float(object_f1(_half, _one)) == 0.0, ulab.say(
    zh="IoU 正好 0.5 不算大于 0.5。", en="An IoU of exactly 0.5 doesn't exceed 0.5."
)
_half[6, 1:11] = 1
assert float(object_f1(_half, _one)) == 1.0 and float(object_f1(_half, _one, 0.6)) == 0.0, ulab.say(
    zh="IoU 是 0.6：阈值 0.5 时配上，阈值 0.6 时配不上。用到 threshold 了吗？",
    en="The IoU is 0.6: it matches at 0.5 and not at 0.6. Is threshold used?",
)
_wide = _empty.copy()
_wide[0:12, 0:15] = 3
assert float(object_f1(_wide, _one)) == 2 / 2 * (100 / 180 > 0.5), ulab.say(
    zh="预测大于真实时，IoU 不对：分母是并集，不是真实的面积。",
    en="With a prediction larger than the truth IoU is wrong: divide by the union, not by the true area.",
)
assert float(object_f1(_wide, _one, 0.56)) == 0.0, ulab.say(
    zh="预测大于真实时，IoU 不对：分母是并集。", en="IoU is wrong for a large prediction: divide by the union."
)
for _seed in range(4):
    _random = np.random.default_rng(_seed)
    _a, _b = (np.kron(_random.integers(0, 5, (6, 6)), np.ones((4, 4), int)) * 2 for _ in range(2))
    _b = np.where(_random.random(_b.shape) < 0.8, np.where(_seed % 2, _b, _a), 0)
    for _limit in (0.5, 0.7, 0.8):
        _p, _t = set(_a.ravel()) - {0}, set(_b.ravel()) - {0}
        _hits = sum(
            ((_a == i) & (_b == j)).sum() / ((_a == i) | (_b == j)).sum() > _limit for i in _p for j in _t
        )
        _want = 2 * _hits / (len(_p) + len(_t))
        assert abs(float(object_f1(_a, _b, _limit)) - _want) < 1e-9, ulab.say(
            zh=f"随机的标签图，阈值 {_limit}，F1 应为 {_want:.3f}。",
            en=f"For random label images and threshold {_limit} F1 is {_want:.3f}.",
        )
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# ## 四、先把传统方法做到最好
#
# 三步：Otsu 阈值分出前景 → 连通的一片算一个核 → 粘连的按距离变换（每个前景像素到背景的距离）的峰分开。**先猜**：后一步能把 F1 提高多少？

# %% [markdown] lang="en"
# ## 4. The classical way at its best
#
# Three steps: foreground by Otsu's threshold → each connected area is a nucleus → split those that stick together at the peaks of the distance transform (each foreground pixel's distance to the background). **Guess first**: how much does the last step add to F1?

# %%
my_guess = None


# %%
def classical(image, split=True):
    smooth = ndimage.gaussian_filter(image, 1)
    foreground = smooth > THRESHOLD
    if not split:
        return drop_small(ndimage.label(foreground)[0])
    distance = ndimage.distance_transform_edt(foreground)
    rounded = ndimage.gaussian_filter(distance, 2)
    peaks = (rounded == ndimage.maximum_filter(rounded, 11)) & (distance > 2)
    return drop_small(grow(ndimage.label(peaks)[0], foreground))


def dice(predicted, true):
    return 2 * ((predicted > 0) & (true > 0)).sum() / ((predicted > 0).sum() + (true > 0).sum())


def report(predicted):
    return {
        "count": count_and_areas(predicted)[0],
        "Dice": dice(predicted, test_labels),
        "F1 at 0.5": object_f1(predicted, test_labels),
        "F1 at 0.75": object_f1(predicted, test_labels, 0.75),
    }


THRESHOLD = otsu(ndimage.gaussian_filter(image[:, LEFT], 1))
results = {
    "connected": report(classical(image[:, RIGHT], split=False)),
    "distance": report(classical(image[:, RIGHT])),
}
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
print(ulab.say(zh="专家数出：", en="the expert counts"), count_and_areas(test_labels)[0])
pd.DataFrame(results).T.round(3)

# %% [markdown] lang="zh"
# Dice 一样，个数却差很多：**分开粘连**才是关键。这个基线不弱，记住它的 F1，网络要跟它比。
#
# ## 五、让网络看见边界
#
# **先自己试**：如果训练目标只有“核”与“背景”两类，网络学得再好，两个挨着的核之间有没有一条分界？
#
# 没有。所以加一类：**边界**。内部的一块块互不相连，数内部就行了。
#
# ### 第 4 题（4 分）：三类目标
#
# 写 `three_classes(labels)`，返回同样形状的整数数组：0 背景，1 内部，2 边界。核的一个像素，如果它的上、下、左、右四个邻居里有一个的编号和它**不同**（是背景或是别的核），就是边界。图像边缘以外不算邻居。
#
# <details><summary>提示 1：概念</summary>
#
# 和“核的并集”的边界不同：两个挨着的核，接触的地方也是边界。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 比较错开一行的两个切片：`labels[1:] != labels[:-1]`，上下两个像素都要标。列也一样。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 一个全 `False` 的数组，四次 `|=`；最后 `np.where(labels == 0, 0, np.where(不同, 2, 1))`。
# </details>

# %% [markdown] lang="en"
# The Dice score is the same, the counts are far apart: **separating neighbours** is what matters. This baseline isn't weak; remember its F1, the network must compare with it.
#
# ## 5. Let the network see borders
#
# **Try first**: if the target has two classes only, nucleus and background, and the network learns it perfectly, is there a line between two nuclei that touch?
#
# There isn't. So add a class: **border**. Interiors don't touch each other, and counting interiors will do.
#
# ### Item 4 (4 points): a target of three classes
#
# Write `three_classes(labels)`, returning an integer array of the same shape: 0 background, 1 interior, 2 border. A pixel of a nucleus is border if one of its four neighbours above, below, left and right has a **different** label (background or another nucleus). What lies outside the image is no neighbour.
#
# <details><summary>Hint 1: the idea</summary>
#
# Not the border of all nuclei taken together: where two of them touch is border as well.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# Compare two slices a row apart: `labels[1:] != labels[:-1]` concerns both the upper and the lower pixel. Columns likewise.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# An array of `False`, four times `|=`; then `np.where(labels == 0, 0, np.where(different, 2, 1))`.
# </details>


# %% nbgrader={"grade_id": "target", "solution": true}
def three_classes(labels):
    ### BEGIN SOLUTION
    different = np.zeros(labels.shape, dtype=bool)
    rows, columns = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    different[1:] |= rows
    different[:-1] |= rows
    different[:, 1:] |= columns
    different[:, :-1] |= columns
    return np.where(labels == 0, 0, np.where(different, 2, 1))
    ### END SOLUTION


# %% nbgrader={"grade_id": "target-test", "grade": true, "points": 4}
_made = np.zeros((9, 14), dtype=int)
_made[2:7, 2:7], _made[2:7, 7:12] = 3, 8
_got = np.asarray(three_classes(_made))
assert _got.shape == (9, 14) and set(np.unique(_got)) <= {0, 1, 2}, ulab.say(
    zh="应返回同样形状、只有 0、1、2 的数组。", en="Return an array of the same shape with 0, 1 and 2 only."
)
assert (_got[_made == 0] == 0).all(), ulab.say(
    zh="背景里出现了非 0：边界画到核的外面去了，应当画在核自己的像素上。",
    en="Background isn't 0: the border was drawn outside. It belongs on the nucleus' own pixels.",
)
assert _got[4, 6] == 2 and _got[4, 7] == 2, ulab.say(
    zh="两个核接触的地方应当是边界（两边的像素都是），现在是内部：画的是并集的边界吗？",
    en="Where two nuclei touch is border, on both sides; here it is interior. Is it the border of their union?",
)
assert _got[3:6, 3:6].tolist() == [[1] * 3] * 3, ulab.say(
    zh="5×5 的核，中间 3×3 都应是内部。", en="A nucleus of 5×5 has an interior of 3×3."
)
### BEGIN HIDDEN TESTS
_edge = np.zeros((5, 6), dtype=int)
_edge[0:3, 0:3] = 1
assert np.asarray(three_classes(_edge))[:3, :3].tolist() == [[1, 1, 2], [1, 1, 2], [2, 2, 2]], ulab.say(
    zh="靠着图像边缘的核不对：图外面不算邻居，也不要绕到另一头（np.roll）。",
    en="Wrong for a nucleus at the image's edge: outside is no neighbour, nor is the other end (np.roll).",
)
_corner = np.ones((4, 4), dtype=int)
_corner[0, 0] = 0
assert np.asarray(three_classes(_corner))[1, 1] == 1, ulab.say(
    zh="只有斜对角不同的像素不算边界：邻居只有上下左右。",
    en="A pixel that differs diagonally only isn't border: neighbours are above, below, left and right.",
)
for _seed in range(4):
    _random = np.random.default_rng(_seed)
    _made = np.kron(_random.integers(0, 3, (5, 6)), np.ones((3, 4), dtype=int))
    _want = np.zeros(_made.shape, dtype=int)
    for _r, _c in np.argwhere(_made > 0):
        _near = [(_r - 1, _c), (_r + 1, _c), (_r, _c - 1), (_r, _c + 1)]
        _near = [(r, c) for r, c in _near if 0 <= r < _made.shape[0] and 0 <= c < _made.shape[1]]
        _want[_r, _c] = 1 + any(_made[place] != _made[_r, _c] for place in _near)
    assert np.array_equal(np.asarray(three_classes(_made)), _want), ulab.say(
        zh="随机的标签图，三类目标不对。", en="The target is wrong for a random label image."
    )
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# ## 六、小 U-Net
#
# U-Net 先一级级缩小，看得见大范围；再一级级放大，恢复精细的位置。缩小时丢掉的细节，由**跳跃连接**直接送过来：放大后的特征和左边同样大小的特征沿通道拼在一起。
#
# ```
# x ─ down1 ───────────────────── 拼接 ─ up1 ─ head ─ 输出
#       └ 缩小一半 ─ down2 ─ 拼接 ─ up2 ─ 放大一倍 ┘
#                      └ 缩小一半 ─ down3 ─ 放大一倍 ┘
# ```
#
# ### 第 5 题（4 分）：U-Net 的前向计算
#
# 各层已经建好，补全 `forward(self, x)`：`x` 形状 `(批, 1, 高, 宽)`，高和宽是 4 的倍数；返回 `(批, 3, 高, 宽)` 的 **logits**（不要 softmax）。缩小用 2×2 的最大池化，放大用 `F.interpolate(…, scale_factor=2)`，拼接用 `torch.cat(…, dim=1)`。
#
# <details><summary>提示 1：概念</summary>
#
# 拼接的两份必须一样大。`up2` 收到 6 个 `width` 的通道：4 个来自 `down3`，2 个来自 `down2`。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `down1`、`down2` 的输出要留着，后面还用。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 六行：`top` → `middle` → `bottom` → 新的 `middle`（拼接、`up2`）→ 新的 `top`（拼接、`up1`）→ `head`。
# </details>

# %% [markdown] lang="en"
# ## 6. A small U-Net
#
# A U-Net first shrinks, level by level, to see far; then it enlarges, level by level, to place things precisely. The detail lost in shrinking comes over **skip connections**: enlarged features are joined, along the channels, with those of the same size from the left.
#
# ```
# x ─ down1 ───────────────────── join ─ up1 ─ head ─ out
#       └ halve ─ down2 ─── join ─ up2 ─ double ┘
#                   └ halve ─ down3 ─ double ┘
# ```
#
# ### Item 5 (4 points): the forward pass of a U-Net
#
# The layers are there; complete `forward(self, x)`: `x` has shape `(batch, 1, height, width)`, height and width are multiples of 4; return **logits** of shape `(batch, 3, height, width)` (no softmax). Halve by max-pooling of 2×2, double by `F.interpolate(…, scale_factor=2)`, join by `torch.cat(…, dim=1)`.
#
# <details><summary>Hint 1: the idea</summary>
#
# What is joined must have the same size. `up2` takes 6 times `width` channels: 4 from `down3`, 2 from `down2`.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# Keep the outputs of `down1` and `down2`: they are needed again.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Six lines: `top` → `middle` → `bottom` → new `middle` (join, `up2`) → new `top` (join, `up1`) → `head`.
# </details>


# %% nbgrader={"grade_id": "unet", "solution": true}
def block(channels, out):
    return nn.Sequential(
        nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU(),
        nn.Conv2d(out, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU(),
    )  # fmt: skip


class SmallUNet(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.down1 = block(1, width)
        self.down2 = block(width, 2 * width)
        self.down3 = block(2 * width, 4 * width)
        self.up2 = block(6 * width, 2 * width)
        self.up1 = block(3 * width, width)
        self.head = nn.Conv2d(width, 3, 1)

    def forward(self, x):
        ### BEGIN SOLUTION
        top = self.down1(x)
        middle = self.down2(F.max_pool2d(top, 2))
        bottom = self.down3(F.max_pool2d(middle, 2))
        middle = self.up2(torch.cat([F.interpolate(bottom, scale_factor=2), middle], dim=1))
        top = self.up1(torch.cat([F.interpolate(middle, scale_factor=2), top], dim=1))
        return self.head(top)
        ### END SOLUTION


# %% nbgrader={"grade_id": "unet-test", "grade": true, "points": 4}
@ulab.at_student
def _pass(height, width):
    torch.manual_seed(1)
    network, seen = SmallUNet(4).eval(), {}
    for name in ("down1", "down2", "down3", "up2", "up1", "head"):

        def keep(module, inputs, output, name=name):
            seen[name + " in"], seen[name] = inputs[0].detach(), output.detach()

        getattr(network, name).register_forward_hook(keep)
    with torch.no_grad():
        seen["out"] = network(torch.rand(2, 1, height, width))
    return seen


def _held(joined, part):
    width = part.shape[1]
    if joined.shape[2:] != part.shape[2:]:
        return False
    return any(
        torch.allclose(joined[:, first : first + width], part, atol=1e-5)
        for first in (0, joined.shape[1] - width)
    )


_seen = _pass(16, 24)
assert tuple(_seen["out"].shape) == (2, 3, 16, 24), ulab.say(
    zh=f"输出形状应为 (2, 3, 16, 24)，得到 {tuple(_seen['out'].shape)}。",
    en=f"The output's shape should be (2, 3, 16, 24), not {tuple(_seen['out'].shape)}.",
)
assert {"down1", "down2", "down3", "up2", "up1", "head"} <= set(_seen), ulab.say(
    zh="有的层没有用到。", en="Some layer isn't used."
)
assert _seen["down2"].shape[2:] == (8, 12) and _seen["down3"].shape[2:] == (4, 6), ulab.say(
    zh="down2 应在一半大小、down3 应在四分之一大小上工作。",
    en="down2 should work at half the size, down3 at a quarter.",
)
### BEGIN HIDDEN TESTS
for _size in ((16, 24), (96, 96), (240, 32)):
    _seen = _pass(*_size)
    assert tuple(_seen["out"].shape) == (2, 3, *_size), ulab.say(
        zh=f"输入 {_size} 时，输出的大小变了。", en=f"For an input of {_size} the size changes."
    )
    assert _held(_seen["up2 in"], _seen["down2"]) and _held(_seen["up1 in"], _seen["down1"]), ulab.say(
        zh="跳跃连接不对：up2 的输入里应当有 down2 的输出，up1 的输入里应当有 down1 的输出。",
        en="The skip connections are wrong: the input of up2 holds the output of down2, that of up1 the output of down1.",
    )
    for _to, _source in (("up2", "down3"), ("up1", "up2")):
        _mean = F.avg_pool2d(_seen[_to + " in"], 2)
        _part, _width = _seen[_source], _seen[_source].shape[1]
        assert any(
            (_mean[:, first : first + _width] - _part).abs().mean() < 0.5 * _part.std()
            for first in (0, _mean.shape[1] - _width)
        ), ulab.say(
            zh=f"{_to} 的输入里应当有放大一倍的 {_source} 的输出。",
            en=f"The input of {_to} should hold the output of {_source}, doubled in size.",
        )
    for _to, _source in (("down2", "down1"), ("down3", "down2")):
        assert torch.allclose(_seen[_to + " in"], F.max_pool2d(_seen[_source], 2), atol=1e-5), ulab.say(
            zh=f"{_to} 的输入应当是 {_source} 的输出经过 2×2 最大池化。",
            en=f"The input of {_to} is the output of {_source} after max-pooling by 2×2.",
        )
    assert torch.allclose(_seen["head in"], _seen["up1"], atol=1e-5) and torch.allclose(
        _seen["out"], _seen["head"], atol=1e-5
    ), ulab.say(
        zh="返回的应当正是 head 的输出（logits）：加了 softmax 或别的？cross_entropy 会自己做。",
        en="What comes back should be the output of head (logits): is there a softmax? cross_entropy does that itself.",
    )
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# 训练：从左边随机取 96×96 的图块，随机转 90°、翻转，交叉熵。训练循环已写好。

# %% [markdown] lang="en"
# Training: random patches of 96×96 from the left, turned by 90° and mirrored at random, cross-entropy. The loop is written.

# %%
STEPS = 2 if ulab.grading() else 300
random = np.random.default_rng(0)
torch.manual_seed(0)
target = three_classes(mask)
network = SmallUNet().to(device)
optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
losses = []
for step in range(STEPS):
    patches, wanted = [], []
    for row, column in patch_corners(random, 6, 96, 512, LEFT.stop):
        turns, flip = random.integers(4), 1 - 2 * random.integers(2)
        for source, kept in ((image, patches), (target, wanted)):
            patch = source[row : row + 96, column : column + 96]
            kept.append(np.rot90(patch, turns)[:, ::flip].copy())
    inputs = torch.tensor(np.array(patches), dtype=torch.float32, device=device)[:, None]
    classes = torch.tensor(np.array(wanted), dtype=torch.long, device=device)
    loss = F.cross_entropy(network(inputs), classes)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(float(loss.detach()))

network.eval()
plt.figure(figsize=(6, 2.4))
plt.plot(losses, lw=0.8)
plt.xlabel(ulab.say(zh="步", en="step"))
plt.ylabel(ulab.say(zh="交叉熵", en="cross-entropy"))
plt.show()


# %% nbgrader={"grade_id": "chances", "locked": true}
@torch.no_grad()
def chances(network, image):
    """The network's probabilities of background, interior and border, (3, height, width)."""
    inputs = torch.tensor(image, dtype=torch.float32, device=device)[None, None]
    return network(inputs)[0].softmax(0).cpu().numpy()


# %% [markdown] lang="zh"
# ## 七、从概率到一个个核
#
# **先自己试**：网络给出每个像素是背景、内部、边界的概率。怎样变成标签图？边界像素该归谁？
#
# ### 第 6 题（4 分）：从概率到一个个核
#
# 写 `instances(probability)`：`probability` 形状 `(3, 高, 宽)`，依次是背景、内部、边界的概率；返回 `(高, 宽)` 的整数标签图。
#
# - 前景（背景概率**低于 0.5** 的像素）每个都要归一个核（除非它所在的整块不足 30 个像素），背景是 0；
# - 挨着的核要分开，边界的像素归最近的核；
# - 少于 30 个像素的不要；给出的 `drop_small` 和 `grow` 都可以用。
#
# 测试不训练网络，而是用由专家标注造出的、带噪声的概率：要求阈值 0.5 的 F1 至少 0.90。把前景的连通区各算一个，是不够的；种子从内部来，还是从距离变换来，由你决定，两种都可以通过。
#
# <details><summary>提示 1：概念</summary>
#
# 内部互不相连，所以内部的一块就是一个核的“种子”；再让种子长满前景。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `ndimage.label(…)[0]` 给连通的块编号；概率最大的类别用 `argmax(0)`；前景是背景概率低于 0.5 的像素。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 概率 → 种子（`argmax` 等于 1 的块，去掉太小的）→ `grow(种子, 前景)` → `drop_small`。
# </details>

# %% [markdown] lang="en"
# ## 7. From probabilities to nuclei
#
# **Try first**: the network gives each pixel a probability of background, interior and border. How does that become a label image? Whose are the pixels of a border?
#
# ### Item 6 (4 points): from probabilities to nuclei
#
# Write `instances(probability)`: `probability` has shape `(3, height, width)`, the probabilities of background, interior and border; return an integer label image of shape `(height, width)`.
#
# - Each pixel of the foreground (background probability **below 0.5**) belongs to a nucleus, unless the whole part it lies in has fewer than 30 pixels; background is 0.
# - Nuclei that touch are separated, and the pixels of a border go to the nearest nucleus.
# - Nothing below 30 pixels; `drop_small` and `grow` are there for you.
#
# Tests train no network. They use noisy probabilities made from the expert's marks, and F1 at threshold 0.5 must be at least 0.90. Taking each connected area of the foreground for a nucleus is not enough; whether the seeds come from interiors or from a distance transform is your choice, and either can pass.
#
# <details><summary>Hint 1: the idea</summary>
#
# Interiors don't touch, so each connected interior is the "seed" of a nucleus; then let the seeds grow over the foreground.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `ndimage.label(…)[0]` numbers connected parts; `argmax(0)` gives the most probable class; foreground is where the background probability is below 0.5.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Probabilities → seeds (parts where `argmax` is 1, without the tiny ones) → `grow(seeds, foreground)` → `drop_small`.
# </details>


# %% nbgrader={"grade_id": "instances", "solution": true}
def instances(probability):
    ### BEGIN SOLUTION
    inside = probability.argmax(0) == 1
    seeds = drop_small(ndimage.label(inside)[0], 10)  # free choice: small seeds count as well or badly at 9 or 11
    return drop_small(grow(seeds, probability[0] < 0.5))
    ### END SOLUTION


# %% nbgrader={"grade_id": "instances-test", "grade": true, "points": 4}
def _made_chances(labels, seed, noise=0.05):
    border = np.zeros(labels.shape, dtype=bool)
    for axis in (0, 1):
        for step in (1, -1):
            border |= (np.roll(labels, step, axis) != labels) & (labels > 0)
    kinds = np.where(labels == 0, 0, np.where(border, 2, 1))
    shares = np.array([ndimage.gaussian_filter((kinds == kind).astype(float), 0.7) for kind in range(3)])
    shares = (shares + noise * np.random.default_rng(seed).random(shares.shape)) ** 2
    return shares / shares.sum(0)


def _instances(probability):
    labels = np.asarray(instances(probability))
    assert labels.shape == probability.shape[1:] and labels.dtype.kind in "iu", ulab.say(
        zh=f"应返回形状 {probability.shape[1:]} 的整数标签图，得到 {labels.shape}、{labels.dtype}。",
        en=f"Return an integer label image of shape {probability.shape[1:]}, not {labels.shape} of {labels.dtype}.",
    )
    return labels


def _score(labels, true):
    mine, theirs = set(np.unique(labels)) - {0}, set(np.unique(true)) - {0}
    hits = 0
    for label in mine:
        here = labels == label
        for other in set(np.unique(true[here])) & theirs:
            hits += (here & (true == other)).sum() / (here | (true == other)).sum() > 0.5
    return 2 * hits / (len(mine) + len(theirs))


_truth = mask[:, LEFT]
_found = _instances(_made_chances(_truth, 0))
assert len(np.unique(_found)) > 3, ulab.say(
    zh="标签图里只有一两个编号：这是前景，不是一个个核。",
    en="The label image has one or two labels only: that is foreground, not single nuclei.",
)
_value, _few = _score(_found, _truth), len(np.unique(_found)) < 0.93 * len(np.unique(_truth))
assert _value >= 0.9, ulab.say(
    zh=f"F1 = {_value:.2f}，要求 0.90；专家数出 {len(np.unique(_truth)) - 1} 个，"
    f"你数出 {len(np.unique(_found)) - 1} 个。" + ("太少：挨着的没有分开？" if _few else ""),
    en=f"F1 is {_value:.2f}, 0.90 is asked; the expert counts {len(np.unique(_truth)) - 1}, "
    f"you {len(np.unique(_found)) - 1}. "
    + ("Too few: are those that touch still joined?" if _few else ""),
)
### BEGIN HIDDEN TESTS
for _seed, _truth in ((1, test_labels), (2, mask[::-1, LEFT].copy())):
    _probability = _made_chances(_truth, _seed)
    _found = _instances(_probability)
    _value = _score(_found, _truth)
    assert _value >= 0.9, ulab.say(
        zh=f"换一块图，F1 = {_value:.2f}，要求 0.90。", en=f"Elsewhere F1 is {_value:.2f}, 0.90 is asked."
    )
    _foreground = _probability[0] < 0.5
    assert not (_found[~_foreground] > 0).any(), ulab.say(
        zh="背景的像素也归了某个核。", en="Pixels of the background belong to a nucleus."
    )
    assert (_found[_foreground] > 0).mean() > 0.97, ulab.say(
        zh=f"前景里只有 {100 * (_found[_foreground] > 0).mean():.0f}% 的像素归了核：边界的像素丢了，面积会偏小。",
        en=f"Only {100 * (_found[_foreground] > 0).mean():.0f} % of the foreground belongs to a nucleus: "
        "the borders' pixels are lost, and areas come out small.",
    )
    _sizes = np.bincount(_found.ravel())[1:]
    assert _sizes[_sizes > 0].min() >= 30, ulab.say(
        zh="留下了少于 30 个像素的碎块。", en="Pieces of fewer than 30 pixels were kept."
    )
_unsure = np.zeros((3, 20, 20))
_unsure[0], _unsure[1], _unsure[2] = 0.45, 0.3, 0.25
_unsure[0, 5:15, 5:15], _unsure[1, 5:15, 5:15] = 0.1, 0.65
assert (_instances(_unsure) > 0).all(), ulab.say(
    zh="背景概率 0.45 不到一半，也是前景；它可能不是 argmax 的类别。",
    en="A background of 0.45 is less than one half, so it is foreground, whatever argmax says.",
)
_none = np.zeros((3, 16, 16))
_none[0] = 1
assert (_instances(_none) == 0).all(), ulab.say(
    zh="全是背景时，标签图应当全是 0。", en="With background only the label image is all 0."
)
### END HIDDEN TESTS

# %%
probability = chances(network, image[:, RIGHT])
found = instances(probability)
results["U-Net, connected"] = report(drop_small(ndimage.label(probability[0] < 0.5)[0]))
results["yours"] = report(found)
pd.DataFrame(results).T.round(3)

# %%
figure, axes = plt.subplots(1, 4, figsize=(12, 6.5), sharey=True)
for axis, (labels, title) in zip(
    axes,
    (
        (test_labels, ulab.say(zh="专家", en="expert")),
        (classical(image[:, RIGHT], split=False), ulab.say(zh="连通区", en="connected")),
        (classical(image[:, RIGHT]), ulab.say(zh="距离变换", en="distance")),
        (found, ulab.say(zh="你的", en="yours")),
    ),
):
    axis.imshow(image[:, RIGHT], cmap="gray")
    axis.contour(three_classes(labels) == 1, [0.5], colors="tab:orange", linewidths=0.8)
    count = count_and_areas(labels)[0]
    axis.set(title=ulab.say(zh=f"{title}：{count}", en=f"{title}: {count}"), xlabel=ulab.say(zh="列（像素）", en="column (px)"))
axes[0].set_ylabel(ulab.say(zh="行（像素）", en="row (px)"))
plt.show()

# %% [markdown] lang="zh"
# 老实说：按 0.5 的阈值，不用训练的传统方法**不输**网络（我们测得约 0.90 对 0.88，51 个核里差一两个），数出的个数还更准；按 0.75，网络的轮廓更贴近专家（约 0.8 对 0.7）。
#
# 边界这一类也没有带来期望的好处：我们试过的五个随机种子里，它一个核也没有多分开。训练用的核只有七十个左右，网络画不准一个像素宽的边界，挨着的仍会粘连。**“理论上有用”，也要用数字检验。** 想一想：网络的前景加上距离变换的种子，会怎样？
#
# ## 八、记下实验
#
# 四种做法在**同一块测试图**上的成绩记进 MLflow：运行后在平台上这个实验的页面点“我的运行记录”，全选后点 Compare。按 Dice 和按 F1 排，名次一样吗？

# %% [markdown] lang="en"
# To be honest: at threshold 0.5 the classical way, without any training, is **no worse** than the network (we measured about 0.90 against 0.88, one or two of 51 nuclei), and its count is closer. At 0.75 the network's outlines are nearer to the expert's (about 0.8 against 0.7).
#
# Nor did border as a class bring what we hoped for: with the five random seeds we tried it separated not one nucleus more. Some seventy nuclei are few to learn from, the network can't draw a line one pixel wide, and neighbours still stick together. **"Useful in theory" has to be measured too.** Think: what about the network's foreground with the seeds of the distance transform?
#
# ## 8. Log the experiment
#
# Log the four ways with their scores on **the same test side** to MLflow. Run it, open "My runs" on this lab's page, select all and press Compare: do Dice and F1 rank them alike?

# %%
for name, scores in results.items():
    with ulab.track(name, method=name, steps=STEPS, gap=32) as run:
        run.log(**{key.lower().replace(" ", "_"): float(value) for key, value in scores.items()})

# %% [markdown] lang="zh"
# ## 九、一张图不能证明什么
#
# ### 第 7 题（4 分，由教师评分）：一张图不能证明什么
#
# 实验室想用你的程序给加药前后的细胞计数。用 150–300 字回答：
#
# 1. 你会选传统方法还是网络？用本实验的至少两个数字说明，“差不多”也可以是结论，1 分；
# 2. 训练和测试来自同一张图的两边，这样的成绩为什么偏乐观，1 分；
# 3. 换一台显微镜、一种染色或一种细胞，哪一步最先出错？怎样发现，1 分；
# 4. 要让人相信“加药后少了 20%”，还需要什么（多少张图、谁来标、怎样估计误差），1 分。

# %% [markdown] lang="en"
# ## 9. What one image can't prove
#
# ### Item 7 (4 points, graded by your instructor): what one image can't prove
#
# The laboratory wants your program to count cells before and after a drug. Answer in 100–200 words:
#
# 1. would you take the classical way or the network? Give at least two figures of this lab; "about the same" may be the conclusion, 1 point;
# 2. training and test are two sides of one image: why does that flatter the score, 1 point;
# 3. with another microscope, stain or kind of cell, which step fails first, and how would you notice, 1 point;
# 4. what more is needed before anybody believes "20 % fewer after the drug" (how many images, who marks them, how the error is estimated), 1 point.

# %% [markdown] lang="zh" nbgrader={"grade_id": "one-image", "grade": true, "solution": true, "points": 4}
# ### BEGIN SOLUTION
# **评分要点**（每条 1 分）
#
# 1. 至少两个本实验的数字（以学生自己运行的为准），结论与数字相符。例如阈值 0.5 的 F1 约 0.90 对 0.88，只差一两个核，说“没有明显差别”可以得分；主张传统方法的可引用个数（51 对 44–45），主张网络的可引用阈值 0.75 的 F1（约 0.8 对 0.7）。
# 2. 同一次染色、同一台显微镜、同样的亮度和密度，甚至同一群细胞；距离变换的窗口和最小面积也是看着这张图定的。换一张图，这些都会变。
# 3. 例如：亮度范围和阈值（太暗或太亮时前景整片错）；核的大小（最小面积、峰的窗口、网络看到的尺度）。发现的办法：抽查叠加图，看个数和面积的分布是否突变，每批都留几张人工标注的图。
# 4. 例如：每组多个孔、多次独立实验、几十张图；标注的人不知道分组，两个人各标一遍；按图（或按孔）而不是按核估计置信区间；程序的漏数率在两组要一样。
#
# **参考答案**：阈值 0.5 时，传统方法的 F1 约 0.90，网络约 0.88，51 个核里只差一两个，说不上谁好；我会先用不需要训练的传统方法计数。若要量面积，网络的轮廓更准：阈值 0.75 时约 0.8 对 0.7。成绩偏乐观，因为左右两边是同一次染色、同一台机器，亮度的尺度也是从这张图来的。换了显微镜，最先错的是阈值：我会每批抽查叠加图，并比较面积的分布。要相信“少 20%”，需要两组各几个孔、几十张图，标注者不知道分组，两人各标一遍，以图为单位算置信区间，并检查程序在两组的漏数率是否相同。
# ### END SOLUTION

# %% [markdown] lang="en" nbgrader={"grade_id": "one-image", "grade": true, "solution": true, "points": 4}
# ### BEGIN SOLUTION
# **Rubric** (1 point each)
#
# 1. At least two figures of this lab (the student's own run counts) and a conclusion that agrees with them. For instance F1 at 0.5 of about 0.90 against 0.88, one or two nuclei, so "no clear difference" earns the point; for the classical way its count (51 against 44–45), for the network F1 at 0.75 (about 0.8 against 0.7).
# 2. Same stain, same microscope, same brightness and density, even the same population of cells; the window of the distance transform and the smallest area were chosen with this image in view. Another image changes all of that.
# 3. For instance: limits and threshold of brightness (whole areas of foreground go wrong); the size of nuclei (smallest area, window of peaks, the scale that the network has seen). Noticed by looking at overlays, by a sudden change in counts and areas, by some images of each batch that a person marks.
# 4. For instance: several wells in each group, independent repetitions, dozens of images; marked by two people who don't know the groups; intervals by image (or well), not by nucleus; the same share of misses in both groups.
#
# **Model answer**: At 0.5 the classical way reaches F1 of about 0.90 and the network 0.88, one or two of 51 nuclei apart, so I can't call one better. To count I'd begin with the classical way, which needs no training; for areas the network's outlines are better, about 0.8 against 0.7 at 0.75. The scores flatter, because both sides share stain and microscope, and the scale of brightness comes from this image. On another microscope the threshold fails first: I'd look at overlays of each batch and compare the areas. To believe "20 % fewer" I'd want several wells in each group, dozens of images, two people marking without knowing the groups, intervals by image, and equal shares of misses.
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 边界与许可
#
# - 只有一张图、一位标注者：看不出显微镜之间、染色之间、标注者之间的差别。
# - 数据：StarDist 的示例图 `img2d`（BSD-3-Clause，Schmidt、Weigert、Broaddus、Myers，MICCAI 2018），由 PyPI 软件包 `stardist` 0.9.2 携带。
# - 更进一步：`ulab.device()` 是 `"cuda"` 时，把 `SmallUNet(64)` 训练 3000 步；给亮度加随机的缩放；把大图切成互相重叠的块预测，再拼起来。

# %% [markdown] lang="en"
# ## Limits and licence
#
# - One image and one expert: nothing about differences between microscopes, stains or experts.
# - Data: StarDist's example image `img2d` (BSD-3-Clause; Schmidt, Weigert, Broaddus, Myers, MICCAI 2018), carried by the PyPI package `stardist` 0.9.2.
# - Going further: where `ulab.device()` is `"cuda"`, train `SmallUNet(64)` for 3000 steps; scale brightness at random; predict a large image in overlapping tiles and join them.
