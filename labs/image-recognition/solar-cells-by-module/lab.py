# %% [markdown] lang="zh"
# # 有缺陷的太阳能电池片
#
# 设想白城的一座光伏电站。冬天过后，想知道哪些电池片裂了。给组件通上电，电池片会在近红外发光，用特殊的相机拍下来，就是**电致发光**（electroluminescence，EL）图像：不导电的地方是黑的，肉眼看不见的隐裂也能看见。一块组件有几十片电池，一座电站有几十万块组件，人看不过来。**一个在旧组件上表现很好的模型，见到从没拍过的组件，还行吗？**
#
# 数据是真实的：44 块组件上切下来的 2624 片电池的 EL 图像，每片由专家标了“有缺陷”的概率。
#
# **学完以后，你能够**
# - 按组件（块）划分数据，说清随机划分为什么好得不真实；
# - 处理标注者没有把握的标签，一行也不悄悄丢掉；
# - 写出加权的二元交叉熵，在有并列时手算 AUC 和平均精度；
# - 按代价在验证集上选阈值；
# - 分类型报告错误，用按块的自助法给出诚实的区间。
#
# **需要的基础**：PyTorch 训练循环，NumPy 布尔索引，做过“认衣服”。**时间**：约 150 分钟，运算约两分钟。

# %% [markdown] lang="en"
# # Defective solar cells
#
# Imagine a solar park in Baicheng. After the winter it wants to know which cells have cracked. Under current a cell glows in the near infrared, and a special camera takes its **electroluminescence** (EL) image: what doesn't conduct is dark, and cracks that no eye can see appear. A module has dozens of cells and a park hundreds of thousands of modules, too many to look at. **A model did well on modules it knows. Will it on a module that it has never seen?**
#
# The data is real: EL images of 2,624 cells cut from 44 modules, each with an expert's probability that it is defective.
#
# **Afterwards you can**
# - split data by module (block), and say why a random split looks too good;
# - deal with labels that the annotators weren't sure of, and lose no row silently;
# - write a weighted binary cross-entropy, and AUC and average precision by hand where scores tie;
# - choose a threshold for a cost on a validation set;
# - report errors by kind, with an honest interval by a bootstrap over blocks.
#
# **You need**: the training loop in PyTorch, Boolean indexing in NumPy, and "Telling garments apart". **Time**: about 150 minutes, about two of them computing.

# %% [markdown] lang="zh"
# ## 怎么做
#
# | 题 | 内容 | 分 |
# | --- | --- | --- |
# | 1 | 按块划分 | 4 |
# | 2 | 没有把握的标签 | 3 |
# | 3 | 加权的损失 | 4 |
# | 4 | 手算 AUC 和平均精度 | 4 |
# | 5 | 按代价选阈值 | 4 |
# | 6 | 分类型的错误和区间 | 4 |
# | 7 | 开放题：要不要用它 | 4 |
#
# 这是进阶级实验：每一节**先自己试，再看讲解**。每题后面有测试：通过时没有输出，没通过时会说哪里不对。提交后还会跑一批看不见的测试，内容不超出题目说明。提示一共三步，越往后越具体，先别点开。

# %% [markdown] lang="en"
# ## How it works
#
# | item | about | points |
# | --- | --- | --- |
# | 1 | splitting by block | 4 |
# | 2 | labels nobody was sure of | 3 |
# | 3 | a weighted loss | 4 |
# | 4 | AUC and average precision by hand | 4 |
# | 5 | a threshold for a cost | 4 |
# | 6 | errors by kind, with an interval | 4 |
# | 7 | open question: would you use it? | 4 |
#
# This is an advanced lab: in each section **try first, then read**. Tests follow each item: silent when they pass, and when they don't they say what is wrong. After you submit, more tests run that you can't see; they ask nothing beyond the item's text. Hints come in three steps, each more concrete; leave them folded at first.

# %% nbgrader={"grade_id": "load", "locked": true}
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn import functional as F

import ulab

ulab.use_fonts()
device = ulab.device()
cells = ulab.load("solar-cells")
kind, probability = cells.kind, cells.probability
NAMES = {"mono": ulab.say(zh="单晶", en="mono"), "poly": ulab.say(zh="多晶", en="poly")}


def smaller(image, factor=5):
    """The mean of each square of `factor` by `factor` pixels."""
    side = image.shape[0] // factor
    return image.reshape(side, factor, side, factor).mean((1, 3), dtype=np.float32)


# %%
small = np.array([smaller(image) for image in cells.images]) / 255
figure, axes = plt.subplots(2, 4, figsize=(10, 5.4))
for row, name in zip(axes, NAMES):
    for axis, chance in zip(row, (0, 1 / 3, 2 / 3, 1)):
        example = np.flatnonzero((kind == name) & np.isclose(probability, chance))[5]
        axis.imshow(small[example], cmap="gray", vmin=0, vmax=1)
        axis.set(title=f"{NAMES[name]} p = {chance:.2f}", xticks=[], yticks=[])
figure.suptitle(ulab.say(zh="标注的缺陷概率 p", en="annotated probability p of a defect"))
plt.show()

# %% [markdown] lang="zh"
# ## 一、文件的顺序里藏着什么
#
# 数据没有告诉我们哪一片来自哪一块组件。**先猜后算**：把电池片按文件里的顺序排开，画出平均亮度和缺陷比例。如果顺序毫无意义，图会是什么样？写下你的猜测，再运行。

# %% [markdown] lang="en"
# ## 1. What the file's order hides
#
# The data doesn't say which cell came from which module. **Predict, then run**: put the cells in the file's order and draw mean brightness and the share of defects. What would the figure look like if the order meant nothing? Write a guess down, then run.

# %%
my_guess = ""

# %%
brightness = small.mean((1, 2))
figure, (upper, lower) = plt.subplots(2, 1, figsize=(10, 5), sharex=True)
upper.plot(brightness, ".", ms=2)
upper.set_ylabel(ulab.say(zh="平均亮度", en="mean brightness"))
places = np.arange(0, len(kind), 60)
shares = [(probability[place : place + 60] >= 0.5).mean() for place in places]
colours = ["tab:orange" if kind[place] == "mono" else "tab:blue" for place in places]
lower.bar(places, shares, 56, align="edge", color=colours)
lower.set_ylabel(ulab.say(zh="每 60 片的缺陷比例", en="share of defects, by 60"))
lower.set_xlabel(
    ulab.say(
        zh="在文件中的位置（橙：单晶，蓝：多晶）", en="place in the file (orange: mono, blue: poly)"
    )
)
plt.show()
changes = np.flatnonzero(kind[1:] != kind[:-1]) + 1
print(ulab.say(zh="类型改变的位置：", en="the kind changes at"), changes)
print(ulab.say(zh="每段长度：", en="lengths of the runs"), np.diff([0, *changes, len(kind)]))

# %% [markdown] lang="zh"
# 亮度一段一段地跳，缺陷比例有的段超过九成、有的段几乎为零；前面各段的长度都是 60 的倍数，而 60 正是常见组件的片数。**顺序保留了组件。** 同一块组件的电池片通常一起制造、一起老化、一起拍摄。
#
# 所以我们把文件切成**块**，每块大约是一块组件。有四段不是 60 的倍数：72 片和 48 片的大概各是一块组件；长的两段（714 和 530 片）里，块的边界最多偏十来片，这一点要记在报告里。
#
# ### 第 1 题（4 分）：按块划分
#
# - `block_ids(kind, size=60, rest=15)`：返回每片的块号（整数，从 0 起，按文件的顺序递增）。类型一变就开始新块；每一段从头起每 `size` 片一块；段尾剩下的如果**少于** `rest` 片，并入这一段的前一块（整段都不够 `rest` 片时，自成一块）。
# - `split_blocks(block, kind, random)`：返回每片的去处，整数数组：0 训练，1 验证，2 测试。**每种类型**各自随机抽四分之一（向下取整）的块做测试，再抽同样多的块做验证，其余训练。同一块的片子去处相同。`random` 是 `np.random.Generator`。
#
# <details><summary>提示 1：概念</summary>
#
# 抽的是块，不是片。只按类型分层是不够的：同一块组件仍会在两边。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 一段里的位置整除以 `size`（`//`）就是段内的块号；`np.minimum` 可以把段尾并进去。抽块用 `random.permutation`，对应到片用 `np.isin`。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 对每一段：块数 = 整块数 + （余数够不够 `rest`），至少 1 → 段内块号 → 加上此前的块数。对每种类型：打乱它的块 → 前四分之一是 2，接着四分之一是 1。
# </details>

# %% [markdown] lang="en"
# Brightness jumps from stretch to stretch; in some more than nine in ten cells are defective, in others almost none. The first runs are multiples of 60 long, and 60 is a usual number of cells in a module. **The order keeps the modules.** Cells of a module are usually made together, age together and are photographed together.
#
# So we cut the file into **blocks**, each about a module. Four runs are not multiples of 60: those of 72 and 48 cells are probably one module each; in the two long ones (of 714 and 530 cells) the borders of blocks may be off by some ten cells: say so in your report.
#
# ### Item 1 (4 points): splitting by block
#
# - `block_ids(kind, size=60, rest=15)`: return each cell's block (integers from 0, rising in the file's order). A change of kind starts a new block; each run is cut from its start into blocks of `size` cells; what is left at its end joins the block before in that run if it is **fewer than** `rest` cells (a whole run of fewer than `rest` is a block of its own).
# - `split_blocks(block, kind, random)`: return where each cell goes, an integer array: 0 training, 1 validation, 2 test. Of **each kind** a quarter of the blocks (rounded down), drawn at random, is test, as many others are validation, the rest is training. Cells of a block go the same way. `random` is a `np.random.Generator`.
#
# <details><summary>Hint 1: the idea</summary>
#
# Draw blocks, not cells. Stratifying by kind is not enough: a module would still be on both sides.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# The place in a run, integer-divided by `size` (`//`), is the block within the run; `np.minimum` joins the end. Draw with `random.permutation`, and get from blocks to cells with `np.isin`.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# For each run: number of blocks = whole ones + (is the remainder at least `rest`?), at least 1 → block within the run → plus the blocks before. For each kind: shuffle its blocks → the first quarter is 2, the next quarter 1.
# </details>


# %% nbgrader={"grade_id": "blocks", "solution": true}
def block_ids(kind, size=60, rest=15):
    ### BEGIN SOLUTION
    block, before = np.zeros(len(kind), dtype=int), 0
    for run in np.split(np.arange(len(kind)), np.flatnonzero(kind[1:] != kind[:-1]) + 1):
        whole, left = divmod(len(run), size)
        number = max(1, whole + (left >= rest))
        block[run] = before + np.minimum(np.arange(len(run)) // size, number - 1)
        before += number
    return block


def split_blocks(block, kind, random):
    side = np.zeros(len(block), dtype=int)
    for name in np.unique(kind):
        drawn = random.permutation(np.unique(block[kind == name]))
        quarter = len(drawn) // 4
        side[np.isin(block, drawn[:quarter])] = 2
        side[np.isin(block, drawn[quarter : 2 * quarter])] = 1
    return side
    ### END SOLUTION


# zh: 接着写 split_blocks(block, kind, random)
# en: Now write split_blocks(block, kind, random)


# %% nbgrader={"grade_id": "blocks-test", "grade": true, "points": 4}
@ulab.at_student
def _sides(block, kind, seed):
    return np.asarray(split_blocks(block, kind, np.random.default_rng(seed)))


def _run(*lengths):
    return np.concatenate([[("mono", "poly")[i % 2]] * n for i, n in enumerate(lengths)])


def _lengths(block):
    return np.bincount(np.asarray(block)).tolist()


_made = np.asarray(block_ids(_run(4, 9, 6), size=3, rest=2))
assert _made.shape == (19,) and _made.dtype.kind in "iu", ulab.say(
    zh=f"19 片应得到 19 个整数块号，得到 {_made.shape}、{_made.dtype}。",
    en=f"19 cells have 19 integer block ids, not {_made.shape} of {_made.dtype}.",
)
assert _made[3] != _made[4], ulab.say(
    zh="单晶的最后一片和多晶的第一片在同一块：类型改变时没有开始新块。",
    en="The last mono cell shares a block with the first poly cell: a change of kind starts a new block.",
)
assert len(np.unique(_made[4:13])) == 3, ulab.say(
    zh="9 片多晶、每块 3 片，应是三块：一段里还要再切，只按类型分是不够的。",
    en="9 poly cells in blocks of 3 are three blocks: a run is cut further, its kind alone is not enough.",
)
assert _made.tolist() == [0] * 4 + [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3 + [5] * 3, ulab.say(
    zh=f"段长 4、9、6，每块 3 片、少于 2 片并入前一块：块长应是 4、3、3、3、3、3，块号从 0 起递增，得到的块号是 {_made.tolist()}。",
    en=f"Runs of 4, 9 and 6, blocks of 3, fewer than 2 join: blocks have 4, 3, 3, 3, 3 and 3 cells "
    f"with ids rising from 0; yours are {_made.tolist()}.",
)
_block = np.asarray(block_ids(kind))
_got = _sides(_block, kind, 0)
assert _got.shape == kind.shape and _got.dtype.kind in "iu" and set(_got.tolist()) == {0, 1, 2}, (
    ulab.say(
        zh="每一片都要有去处：整数 0、1 或 2，三种都要有。",
        en="Each cell goes to an integer 0, 1 or 2, and each of them occurs.",
    )
)
assert all(len(set(_got[_block == _one].tolist())) == 1 for _one in set(_block.tolist())), ulab.say(
    zh="有的块既在训练又在测试（或验证）：抽的是片，不是块。",
    en="Some blocks are on two sides: cells were drawn, not blocks.",
)
### BEGIN HIDDEN TESTS
assert _lengths(_block) == [60] * 26 + [54] + [60] * 8 + [50, 72] + [60] * 3 + [48] + [60] * 3, (
    ulab.say(
        zh="真实数据的块不对。应有 44 块，余下的 12 片并入前一块，余下的 54 片自成一块。",
        en="The blocks of the real data are wrong. There are 44; 12 cells left over join the block before, 54 are a block.",
    )
)
for _runs, _size, _rest, _want in (
    ((7,), 3, 1, [3, 3, 1]),
    ((7,), 3, 2, [3, 4]),
    ((8,), 3, 2, [3, 3, 2]),
    ((8,), 3, 3, [3, 5]),
    ((2, 2, 9), 5, 3, [2, 2, 5, 4]),
    ((5, 10, 1), 5, 4, [5, 5, 5, 1]),
):
    assert _lengths(block_ids(_run(*_runs), size=_size, rest=_rest)) == _want, ulab.say(
        zh=f"段长 {_runs}，每块 {_size} 片，少于 {_rest} 片并入前一块：块长应是 {_want}。",
        en=f"Runs of {_runs}, blocks of {_size}, fewer than {_rest} join: the blocks' lengths are {_want}.",
    )
assert _lengths(block_ids(_run(74, 75, 10))) == [74, 60, 15, 10], ulab.say(
    zh="不写 size 和 rest 时，应是 60 和 15。", en="Without size and rest they are 60 and 15."
)
_kinds = np.repeat(["mono", "poly", "mono"], [24, 27, 8])
_made = np.repeat(
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15],
    [4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 6, 6, 4, 4],
)
_seen = {_one: set() for _one in set(_made.tolist())}
for _seed in range(60):
    _got = _sides(_made, _kinds, _seed)
    for _name, _wanted in (("mono", [4, 2, 2]), ("poly", [5, 1, 1])):
        _mine = _kinds == _name
        _sets = [set(_made[_mine & (_got == _side)].tolist()) for _side in range(3)]
        assert [len(_set) for _set in _sets] == _wanted, ulab.say(
            zh=f"类型 {_name}：训练、验证、测试应各有 {_wanted} 块。每种类型各抽四分之一，向下取整。",
            en=f"Kind {_name}: {_wanted} blocks for training, validation and test. A quarter of each kind, rounded down.",
        )
    for _one in _seen:
        _sides_of_it = set(_got[_made == _one].tolist())
        assert len(_sides_of_it) == 1, ulab.say(
            zh="同一块的片子去了两边。", en="Cells of a block are on two sides."
        )
        _seen[_one] |= _sides_of_it
assert all(_went == {0, 1, 2} for _went in _seen.values()), ulab.say(
    zh="换种子以后，有的块从来不会进入某一边：随机地抽块，而且要用 random。",
    en="Whatever the seed, some block never gets to some side: draw blocks at random, and by random.",
)
assert _sides(_made, _kinds, 3).tolist() == _sides(_made, _kinds, 3).tolist(), ulab.say(
    zh="同样的种子，两次结果不同：随机数要由 random 来。",
    en="The same seed differs twice: draw from random.",
)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# 抽出来的十块组件，缺陷可能特别多或特别少。我们取**第一个**让三份的缺陷比例相差不超过 0.05 的种子：这是看标签定的，不看任何成绩。

# %% [markdown] lang="en"
# Ten modules drawn may have unusually many defects or few. We take the **first** seed for which the three shares of defects differ by at most 0.05: decided by labels, without looking at any score.

# %%
block = block_ids(kind)
for seed in range(50):
    side = split_blocks(block, kind, np.random.default_rng(seed))
    shares = [(probability[side == number] >= 0.5).mean() for number in range(3)]
    if max(shares) - min(shares) <= 0.05:
        break
certain = np.isin(probability, (0, 1))
SIDES = [
    ulab.say(zh="训练", en="training"),
    ulab.say(zh="验证", en="validation"),
    ulab.say(zh="测试", en="test"),
]
overview = pd.DataFrame(
    {
        name: {
            ulab.say(zh="块", en="blocks"): len(np.unique(block[side == number])),
            ulab.say(zh="片", en="cells"): (side == number).sum(),
            ulab.say(zh="缺陷比例", en="share of defects"): (
                probability[side == number] >= 0.5
            ).mean(),
            ulab.say(zh="标注没有把握", en="unsure"): (~certain[side == number]).mean(),
        }
        for number, name in enumerate(SIDES)
    }
).T
print(ulab.say(zh="种子", en="seed"), seed)
overview.round(2)

# %% [markdown] lang="zh"
# ## 二、基线，和一个好得不真实的分数
#
# 先看不用神经网络能做到多少。下面是一个写全的例子，四个小目标：**造特征 → 只在训练折上标准化 → 拟合 → 给没见过的片子打分**。
#
# AUC 是随便拿一片有缺陷的和一片好的，前者得分更高的概率：瞎猜是 0.5，全对是 1（第 4 题你会自己写）。**先猜后算**：同样的特征和模型，随机分五折和按块分五折，AUC 差多少？

# %% [markdown] lang="en"
# ## 2. A baseline, and a score too good to be true
#
# First see how far we get without a network. Here is a worked example with four subgoals: **make features → standardise on the training folds alone → fit → score cells never seen**.
#
# AUC is the probability that a defective cell scores above a good one when one of each is drawn at random: 0.5 for guessing, 1 for all right (in item 4 you write your own). **Predict, then run**: with the same features and model, how far apart are AUC over five random folds and over five folds of blocks?

# %%
my_guess = None


# %%
# zh: 造特征：亮度的分位数和散布、相邻像素的差（裂纹是突变）、最暗和最不均匀的小格
# en: make features: quantiles and spread of brightness, steps between pixels (cracks are steps), darkest and roughest squares
def features(images):
    flat = images.reshape(len(images), -1)
    columns = [
        flat.mean(1),
        flat.std(1),
        *np.quantile(flat, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95], axis=1),
    ]
    for axis in (1, 2):
        steps = np.abs(np.diff(images, axis=axis)).reshape(len(images), -1)
        columns += [steps.mean(1), *np.quantile(steps, [0.5, 0.9, 0.99], axis=1)]
    squares = images.reshape(len(images), 10, 6, 10, 6)
    for grid in (squares.mean((2, 4)), squares.std((2, 4))):
        columns += [*np.quantile(grid.reshape(len(images), -1), [0, 0.05, 0.5, 0.95, 1], axis=1)]
    return np.stack(columns, axis=1)


# zh: 只在训练折上标准化，拟合，给没见过的片子打分
# en: standardise on the training folds alone, fit, score cells never seen
def out_of_fold(folds, table, defect, groups):
    score = np.zeros(len(defect))
    for train, rest in folds.split(table, defect, groups):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        score[rest] = model.fit(table[train], defect[train]).decision_function(table[rest])
    return score


table, defect = features(small), probability >= 0.5
folds = {
    "random": StratifiedKFold(5, shuffle=True, random_state=0),
    "blocks": StratifiedGroupKFold(5, shuffle=True, random_state=0),
}
SPLITS = {
    "random": ulab.say(zh="随机划分", en="random split"),
    "blocks": ulab.say(zh="按块划分", en="split by block"),
}
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
for name, fold in folds.items():
    groups = block if name == "blocks" else None
    score = out_of_fold(fold, table, defect, groups)
    print(SPLITS[name], round(roc_auc_score(defect, score), 3))

# %% [markdown] lang="zh"
# ## 三、标注者没有把握
#
# 概率 0 和 1 是有把握的；1/3 和 2/3 表示标注者自己也拿不准，共 401 片。**先自己想**：丢掉它们、当作有缺陷、当作没缺陷，各会怎样影响上线以后的表现？
#
# 丢掉，测试就变容易了，而电站里的疑难片子不会消失；凡是大于 0 都算缺陷，“八成没事”的片子就成了正例。我们的规则写在明处：**不低于 0.5 算缺陷；没有把握的片子留下，但在训练里只算一部分。** 测试时每片权重都是 1。
#
# ### 第 2 题（3 分）：没有把握的标签
#
# 写 `targets_and_weights(probability, unsure=0.5)`，返回两个与输入同长的浮点数组 `(target, weight)`：`probability` 不低于 0.5 的目标是 1，其余是 0；概率正好是 0 或 1 的权重是 1，其余的权重是 `unsure`。
#
# <details><summary>提示 1：概念</summary>
#
# 目标和权重是两件事：1/3 的片子目标是 0，只是说得没那么肯定。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 比较得到布尔数组，`.astype(float)` 变成 0 和 1；`np.where` 在两个值里选。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 一行目标，一行权重，一行返回；没有 `[mask]` 这样的取子集。
# </details>

# %% [markdown] lang="en"
# ## 3. Labels nobody was sure of
#
# Probabilities 0 and 1 are certain; 1/3 and 2/3 say that the annotators couldn't tell, and there are 401 of them. **Think first**: drop them, call them defective, call them good – what does each do to performance in deployment?
#
# Dropping them makes the test easier, while the park's hard cells won't go away. Calling all above 0 defective turns a "probably fine" into a positive. We write our rule down: **at least 0.5 counts as defective; unsure cells stay, but count in part only in training.** In the test each cell counts as one.
#
# ### Item 2 (3 points): labels nobody was sure of
#
# Write `targets_and_weights(probability, unsure=0.5)`, returning two float arrays as long as the input, `(target, weight)`: the target is 1 where `probability` is at least 0.5, else 0; the weight is 1 where the probability is exactly 0 or 1, else `unsure`.
#
# <details><summary>Hint 1: the idea</summary>
#
# Target and weight are two things: a cell of 1/3 has the target 0, only less firmly.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# A comparison gives a Boolean array, and `.astype(float)` makes it 0 and 1; `np.where` chooses between two values.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# A line for the target, a line for the weight, a line that returns; no subset like `[mask]`.
# </details>


# %% nbgrader={"grade_id": "labels", "solution": true}
def targets_and_weights(probability, unsure=0.5):
    ### BEGIN SOLUTION
    target = (probability >= 0.5).astype(float)
    weight = np.where((probability == 0) | (probability == 1), 1.0, unsure)
    return target, weight
    ### END SOLUTION


# %% nbgrader={"grade_id": "labels-test", "grade": true, "points": 3}
def _labels(probability, **options):
    target, weight = (
        np.asarray(part) for part in targets_and_weights(np.array(probability), **options)
    )
    assert len(target) == len(weight) == len(probability), ulab.say(
        zh=f"给了 {len(probability)} 片，得到 {len(target)} 个目标、{len(weight)} 个权重：一片也不能丢。",
        en=f"{len(probability)} cells gave {len(target)} targets and {len(weight)} weights: lose none.",
    )
    return target, weight


_chances = [0, 1 / 3, 2 / 3, 1, 0]
_target, _weight = _labels(_chances)
assert _target[1] != 1, ulab.say(
    zh="概率 1/3 的片子成了缺陷：规则是不低于 0.5，不是大于 0。",
    en="A cell of 1/3 became defective: the rule is at least 0.5, not above 0.",
)
assert _target.tolist() == [0, 0, 1, 1, 0], ulab.say(
    zh=f"目标应是 0、0、1、1、0（不是概率本身），得到 {_target.tolist()}。",
    en=f"Targets should be 0, 0, 1, 1, 0 (not the probabilities), not {_target.tolist()}.",
)
assert _weight[1] != 0 and _weight[2] != 0, ulab.say(
    zh="没有把握的片子权重是 0：等于把它们丢了。",
    en="Unsure cells have weight 0, which is to drop them.",
)
assert _weight.tolist() == [1, 0.5, 0.5, 1, 1], ulab.say(
    zh=f"权重应是 1、0.5、0.5、1、1，得到 {_weight.tolist()}。",
    en=f"Weights should be 1, 0.5, 0.5, 1, 1, not {_weight.tolist()}.",
)
### BEGIN HIDDEN TESTS
_target, _weight = _labels([0.5, 0.49, 0.02, 0.99, 1.0, 0.0], unsure=0.2)
assert _target.tolist() == [1, 0, 0, 1, 1, 0], ulab.say(
    zh="边界：正好 0.5 也算缺陷，0.49 不算。",
    en="At the border: 0.5 counts as defective, 0.49 doesn't.",
)
assert _weight.tolist() == [0.2, 0.2, 0.2, 0.2, 1, 1], ulab.say(
    zh="只有正好是 0 或 1 的才算有把握；其余的权重是参数 unsure。",
    en="Only exactly 0 and 1 are certain; all others weigh what `unsure` says.",
)
assert _target.dtype.kind == "f" and _weight.dtype.kind == "f", ulab.say(
    zh="两个数组都应是浮点数，损失函数要用。", en="Both arrays should be floats, as the loss needs."
)
_random = np.random.default_rng(4).choice([0, 1 / 3, 2 / 3, 1], 200)
_target, _weight = _labels(_random, unsure=0.7)
assert _target.sum() == (_random > 0.6).sum() and np.isclose(
    _weight.sum(), 200 - 0.3 * ((_random > 0) & (_random < 1)).sum()
), ulab.say(
    zh="随机的 200 片，目标或权重不对。", en="Targets or weights are wrong for 200 random cells."
)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# ## 四、缺陷少，怎么加权
#
# 有缺陷的片子不到三分之一。**先自己试**：把每片缺陷在损失里算作几片，才能让缺陷和好片的分量一样重？没有把握的片子只算半片，别忘了。
#
# 对一片的 logit $z$、目标 $t$，加权的二元交叉熵是
#
# $$\ell = -\left(\text{positive}\cdot t\,\log\sigma(z) + (1-t)\,\log(1-\sigma(z))\right)$$
#
# 整批的损失是 $\sum w\,\ell \,/ \sum w$，其中 $w$ 是第 2 题的权重。
#
# ### 第 3 题（4 分）：加权的损失
#
# - `positive_weight(target, weight)`：好片的总权重除以缺陷的总权重。
# - `weighted_loss(logits, target, weight, positive)`：上面的损失，一个标量张量，能求出梯度。logit 为 ±1000 时也必须是有限的数。
#
# 参数都是 torch 张量，`positive` 也可能是普通的数。
#
# <details><summary>提示 1：概念</summary>
#
# `positive` 只乘在缺陷那一项上，而且只乘一次。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `F.logsigmoid(z)` 稳定地算 $\log\sigma(z)$，而 $1-\sigma(z)=\sigma(-z)$；`F.binary_cross_entropy_with_logits` 也能用，要看清它怎么求平均。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 每片一个损失 → 乘以权重求和 → 除以权重的和。
# </details>

# %% [markdown] lang="en"
# ## 4. Defects are few: how to weight them
#
# Fewer than a third are defective. **Try first**: for how many cells must a defect count in the loss, so that defective and good cells weigh the same? Keep in mind that unsure cells count half.
#
# For a cell's logit $z$ and target $t$ the weighted binary cross-entropy is
#
# $$\ell = -\left(\text{positive}\cdot t\,\log\sigma(z) + (1-t)\,\log(1-\sigma(z))\right)$$
#
# and the loss of a batch is $\sum w\,\ell \,/ \sum w$ with the weights $w$ of item 2.
#
# ### Item 3 (4 points): a weighted loss
#
# - `positive_weight(target, weight)`: the total weight of good cells divided by the total weight of defective ones.
# - `weighted_loss(logits, target, weight, positive)`: the loss above, a scalar tensor with a gradient. It has to be finite for logits of ±1000 too.
#
# All arguments are torch tensors; `positive` may also be a plain number.
#
# <details><summary>Hint 1: the idea</summary>
#
# `positive` multiplies the term of defective cells only, and only once.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `F.logsigmoid(z)` is a stable $\log\sigma(z)$, and $1-\sigma(z)=\sigma(-z)$; `F.binary_cross_entropy_with_logits` will do too, but mind how it averages.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# A loss for each cell → times its weight, summed → divided by the sum of weights.
# </details>


# %% nbgrader={"grade_id": "loss", "solution": true}
def positive_weight(target, weight):
    ### BEGIN SOLUTION
    return (weight * (1 - target)).sum() / (weight * target).sum()


def weighted_loss(logits, target, weight, positive):
    each = -(positive * target * F.logsigmoid(logits) + (1 - target) * F.logsigmoid(-logits))
    return (weight * each).sum() / weight.sum()
    ### END SOLUTION


# zh: 接着写 weighted_loss(logits, target, weight, positive)
# en: Now write weighted_loss(logits, target, weight, positive)


# %% nbgrader={"grade_id": "loss-test", "grade": true, "points": 4}
@ulab.at_student
def _value_and_gradient(logits, target, weight, positive):
    z = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    loss = weighted_loss(z, torch.tensor(target).double(), torch.tensor(weight).double(), positive)
    loss.backward()
    return float(loss.detach()), z.grad.tolist()


def _by_hand(logits, target, weight, positive):
    z, t, w = (np.array(part, dtype=float) for part in (logits, target, weight))
    chance = 1 / (1 + np.exp(-z))
    each = -(positive * t * np.log(chance) + (1 - t) * np.log(1 - chance))
    slope = w * (chance * (1 - t) - positive * t * (1 - chance)) / w.sum()
    return (w * each).sum() / w.sum(), slope


_got = float(positive_weight(torch.tensor([1.0, 0, 0, 0, 1]), torch.tensor([1.0, 1, 1, 1, 0.5])))
assert not np.isclose(_got, 0.5), ulab.say(
    zh="得到 0.5：比值倒过来了，这样缺陷反而更轻。",
    en="0.5 is the ratio upside down: defects would weigh less.",
)
assert np.isclose(_got, 2), ulab.say(
    zh=f"好片权重 3，缺陷权重 1.5，应得 2，得到 {_got:.3g}。没有把握的只算一部分。",
    en=f"Good cells weigh 3 and defective ones 1.5: that is 2, not {_got:.3g}. Unsure cells count in part.",
)
_case = ([0.0, 0.0], [1, 0], [1.0, 1.0], 3.0)
_value, _slope = _value_and_gradient(*_case)
assert not np.allclose(_slope, [-0.25, 0.75]), ulab.say(
    zh="乘在了好片那一项上：positive 属于缺陷。",
    en="It multiplies the term of good cells: positive belongs to the defective ones.",
)
assert not np.isclose(_slope[0], -2.25), ulab.say(
    zh="positive 乘了两次。", en="positive was applied twice."
)
assert np.isclose(_value, 2 * np.log(2)) and np.allclose(_slope, [-0.75, 0.25]), ulab.say(
    zh=f"两个 logit 都是 0、positive 为 3 时，损失应是 2 ln 2 ≈ 1.386、梯度 −0.75 和 0.25，得到 {_value:.3f} 和 {np.round(_slope, 3)}。",
    en=f"With both logits 0 and positive 3 the loss is 2 ln 2 ≈ 1.386 and the gradient −0.75 and 0.25, not {_value:.3f} and {np.round(_slope, 3)}.",
)
### BEGIN HIDDEN TESTS
for _case in (
    ([1.5, -0.4, 0.3, 2.0], [1, 0, 1, 0], [1, 1, 0.5, 0.5], 2.2),
    ([-3.0, 3.0, 0.1], [1, 1, 0], [0.5, 1, 1], 0.4),
    ([0.7, -1.2], [0, 0], [0.2, 1], 5.0),
):
    _value, _slope = _value_and_gradient(*_case)
    _want, _wanted_slope = _by_hand(*_case)
    assert np.isclose(_value, _want), ulab.say(
        zh=f"有轻有重的片子，损失应是 {_want:.3f}：每片乘以权重，再除以权重的和。",
        en=f"With unequal weights the loss is {_want:.3f}: each times its weight, over the sum of weights.",
    )
    assert np.allclose(_slope, _wanted_slope), ulab.say(
        zh="梯度和手算的不同。", en="The gradient isn't the hand-computed one."
    )
_value, _slope = _value_and_gradient([1000.0, -1000.0], [0, 1], [1.0, 1.0], 2.0)
assert np.isclose(_value, 1500) and np.allclose(_slope, [0.5, -1]), ulab.say(
    zh="logit 为 ±1000 时，损失或梯度不对（inf 或 nan？）：先 sigmoid 再 log 会溢出。",
    en="Loss or gradient are wrong for logits of ±1000 (inf or nan?): log after sigmoid breaks down.",
)
for _target, _weight, _want in (
    ([1, 1, 0], [0.5, 0.5, 4.0], 4),
    ([0, 1, 0, 1], [0.5, 2.0, 0.5, 2.0], 0.25),
):
    _got = float(positive_weight(torch.tensor(_target).float(), torch.tensor(_weight)))
    assert np.isclose(_got, _want), ulab.say(
        zh="好片的总权重除以缺陷的总权重：不是个数之比。",
        en="Total weight of good over defective cells, not their numbers.",
    )
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# ## 五、一个小卷积网络
#
# 三层卷积，最后对整张图取平均（全局平均池化），再用一层线性层给出一个 logit。每张图先减去自己的均值、除以自己的标准差：不同组件的曝光不同，绝对亮度换了组件就不可信。训练时随机左右、上下翻转。
#
# 循环已经写好，用的是你的目标、权重和损失。我们训练**两次**：一次按块划分，一次把片子随机打乱，分成同样大小的三份。**先猜**：哪一次的测试 AUC 高，高多少？

# %% [markdown] lang="en"
# ## 5. A small convolutional network
#
# Three convolutions, a mean over the whole image (global average pooling), then a linear layer with one logit. Each image is centred and scaled by its own mean and standard deviation: modules are exposed differently, so absolute brightness can't be relied on for another module. Images are mirrored at random in training, left to right and upside down.
#
# The loop is written and uses your targets, weights and loss. We train **twice**: once split by block, once with three random parts of the same sizes. **Guess first**: which has the higher test AUC, and by how much?

# %%
my_guess = None

# %%
EPOCHS, LIMIT, WIDTH = (1, 64, 2) if ulab.grading() else (12, None, 16)
centred = small - small.mean((1, 2), keepdims=True)
inputs = torch.tensor(centred / small.std((1, 2), keepdims=True))[:, None].to(device)
target, weight = targets_and_weights(probability)
goals, weights = (
    torch.tensor(part, dtype=torch.float32, device=device) for part in (target, weight)
)


def make_network(width=WIDTH):
    layers, channels = [], 1
    for out in (width, 2 * width, 4 * width):
        layers += [
            nn.Conv2d(channels, out, 3, padding=1),
            nn.BatchNorm2d(out),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
        channels = out
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1), nn.Flatten(0)]
    return nn.Sequential(nn.Sequential(*layers), *head).to(device)


def train_network(cells, seed=0, epochs=EPOCHS, width=WIDTH, inputs=inputs):
    torch.manual_seed(seed)
    network = make_network(width)
    cells = torch.tensor(cells, device=device)
    positive = positive_weight(goals[cells], weights[cells])
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-2)
    steps = epochs * -(-len(cells) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=steps)
    for _ in range(epochs):
        for batch in cells[torch.randperm(len(cells), device=device)].split(64):
            x = inputs[batch]
            for axis in (2, 3):
                mirror = torch.rand(len(x), 1, 1, 1, device=device) < 0.5
                x = torch.where(mirror, x.flip(axis), x)
            loss = weighted_loss(network(x), goals[batch], weights[batch], positive)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


@torch.no_grad()
def logits_of(network, inputs=inputs):
    return torch.cat([network(part) for part in inputs.split(256)]).double().cpu().numpy()


def logistic_regression(cells):
    model = make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=1000, class_weight="balanced")
    )
    return model.fit(table[cells], target[cells] == 1).decision_function(table)


shuffled = np.random.default_rng(1).permutation(side)
scores, networks = {}, {}
for name, where in (("random", shuffled), ("blocks", side)):
    train = np.flatnonzero(where == 0)[:LIMIT]
    if len(np.unique(target[train])) == 1:
        train = np.r_[
            np.flatnonzero((where == 0) & (target == 1))[:9],
            np.flatnonzero((where == 0) & (target == 0))[:9],
        ]
    networks[name] = train_network(train)
    scores["features", name] = logistic_regression(train)
    scores["network", name] = logits_of(networks[name])

# %% [markdown] lang="zh"
# ## 六、给排序打分
#
# 准确率在这里没有用：全说“好”就有三分之二以上。要看**排序**：有缺陷的是不是排在好的前面。
#
# - **AUC**：随便拿一片有缺陷的和一片好的，前者得分更高的概率；得分相等算一半。
# - **平均精度**（average precision，AP）：把得分从高到低的每个**不同的值**当一次阈值（得分不低于它就报警），$AP=\sum_k (R_k - R_{k-1})\,P_k$，$P$ 是精确率（报警里真有缺陷的比例），$R$ 是召回率，$R_0=0$。得分相等的片子一起报警，所以与它们的先后无关。
#
# **先自己试**：四片的得分是 3、2、2、1，真实是 1、1、0、0。AUC 和 AP 各是多少？在纸上算。
#
# ### 第 4 题（4 分）：手算 AUC 和平均精度
#
# 写 `auc(score, target)` 和 `average_precision(score, target)`：`score` 是任意实数的数组，`target` 是 0 和 1 的数组，顺序任意；返回一个数。`target` 里只有一种时，两个函数都要 `raise ValueError`，并写一句人能看懂的话。这一题不用 scikit-learn。
#
# <details><summary>提示 1：概念</summary>
#
# AUC 就是在所有（缺陷，好片）的对子里数数。上面那四片的 AUC 是 3.5/4。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `a[:, None] - b` 一次算出所有的差；`np.unique(score)[::-1]` 是从高到低的不同的值。
# </details>
# <details><summary>提示 3：形状</summary>
#
# AP：对每个值 → 谁报警 → 精确率和召回率 → 加上（召回率的增量 × 精确率）→ 记住这次的召回率。
# </details>

# %% [markdown] lang="en"
# ## 6. A score for the ranking
#
# Accuracy is of no use here: "all good" has more than two thirds. What counts is the **ranking**: are defective cells above good ones?
#
# - **AUC**: the probability that a defective cell scores above a good one when one of each is drawn at random; equal scores count half.
# - **Average precision** (AP): take each **different value** of the scores, from high to low, as a threshold (an alarm where the score is at least that); $AP=\sum_k (R_k - R_{k-1})\,P_k$ with precision $P$ (the share of alarms that are defective), recall $R$, and $R_0=0$. Cells of equal scores raise their alarms together, so their order doesn't matter.
#
# **Try first**: four cells score 3, 2, 2, 1 and are 1, 1, 0, 0 in truth. What are AUC and AP? Work them out on paper.
#
# ### Item 4 (4 points): AUC and average precision by hand
#
# Write `auc(score, target)` and `average_precision(score, target)`: `score` is an array of any real numbers, `target` one of 0 and 1, in any order; return a number. If `target` has one class only both must `raise ValueError` with a sentence a person understands. No scikit-learn in this item.
#
# <details><summary>Hint 1: the idea</summary>
#
# AUC is counting over all pairs of a defective and a good cell. For the four cells above it is 3.5/4.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `a[:, None] - b` gives all differences at once; `np.unique(score)[::-1]` are the different values from high to low.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# AP: for each value → who raises an alarm → precision and recall → add (rise of recall × precision) → keep this recall.
# </details>


# %% nbgrader={"grade_id": "ranking", "solution": true}
def auc(score, target):
    ### BEGIN SOLUTION
    good, bad = score[target == 0], score[target == 1]
    if len(good) == 0 or len(bad) == 0:
        raise ValueError("AUC needs both defective and good cells.")
    difference = bad[:, None] - good
    return ((difference > 0) + 0.5 * (difference == 0)).mean()


def average_precision(score, target):
    if len(np.unique(target)) < 2:
        raise ValueError("Average precision needs both defective and good cells.")
    total = before = 0.0
    for value in np.unique(score)[::-1]:
        alarm = score >= value
        recall = target[alarm].sum() / target.sum()
        total += (recall - before) * target[alarm].mean()
        before = recall
    return total
    ### END SOLUTION


# zh: 接着写 average_precision(score, target)
# en: Now write average_precision(score, target)


# %% nbgrader={"grade_id": "ranking-test", "grade": true, "points": 4}
def _both(score, target):
    score, target = np.array(score, dtype=float), np.array(target)
    return float(auc(score, target)), float(average_precision(score, target))


_case = ([3, 2, 2, 1], [1, 1, 0, 0])
_area, _average = _both(*_case)
assert not np.isclose(_area, 0.125), ulab.say(zh="AUC 的方向反了。", en="AUC is upside down.")
assert not np.isclose(_area, 0.75) and not np.isclose(_area, 1), ulab.say(
    zh=f"AUC 得到 {_area:.3g}：得分相等的一对应当算一半。（如果是 0.75，也可能算成了准确率。）",
    en=f"AUC is {_area:.3g}: a pair of equal scores counts half. (0.75 may also be an accuracy.)",
)
assert np.isclose(_area, 0.875), ulab.say(
    zh=f"四片的小例子，AUC 应是 3.5/4 = 0.875，得到 {_area:.3g}。",
    en=f"AUC of the four cells is 3.5/4 = 0.875, not {_area:.3g}.",
)
assert not np.isclose(_average, 1), ulab.say(
    zh="AP 得到 1：得分同为 2 的两片要一起报警，不能先报有缺陷的那一片。",
    en="AP is 1: the two cells of score 2 raise their alarms together, not the defective one first.",
)
assert np.isclose(_average, 0.5 * 1 + 0.5 * 2 / 3), ulab.say(
    zh=f"四片的小例子，AP 应是 0.5×1 + 0.5×2/3 ≈ 0.833，得到 {_average:.3g}。",
    en=f"AP of the four cells is 0.5×1 + 0.5×2/3 ≈ 0.833, not {_average:.3g}.",
)
### BEGIN HIDDEN TESTS
from sklearn.metrics import average_precision_score

for _order in ([3, 0, 2, 1], [1, 2, 0, 3], [0, 2, 1, 3]):
    assert np.allclose(
        _both(np.array(_case[0])[_order], np.array(_case[1])[_order]), (0.875, 5 / 6)
    ), ulab.say(
        zh="同样的四片换个顺序，结果变了：要先按得分排。",
        en="The same four cells in another order give another result: sort by score.",
    )
for _seed in range(5):
    _random = np.random.default_rng(_seed)
    _truth = np.r_[1, 0, (_random.random(50) < 0.3).astype(int)]
    _fine = _random.normal(size=52) + _truth
    for _score in (_fine, np.round(_fine), -_fine, np.zeros(52), 1e-9 * _fine):
        _area, _average = _both(_score, _truth)
        assert np.isclose(_area, roc_auc_score(_truth, _score)), ulab.say(
            zh="52 片随机的例子，AUC 不对（有的有并列，有的得分很小或是负数）。",
            en="AUC is wrong for 52 random cells (some with ties, some with tiny or negative scores).",
        )
        assert np.isclose(_average, average_precision_score(_truth, _score)), ulab.say(
            zh="52 片随机的例子，AP 不对（有的有并列）。",
            en="AP is wrong for 52 random cells (some with ties).",
        )
for _truth in (np.ones(4, dtype=int), np.zeros(4, dtype=int)):
    for _measure in (auc, average_precision):
        try:
            _measure(np.arange(4.0), _truth)
            _sentence = None
        except ValueError as _problem:
            _sentence = str(_problem)
        assert _sentence, ulab.say(
            zh="只有一种目标时应当 raise ValueError，并写一句话。",
            en="With one class only raise a ValueError with a sentence.",
        )
### END HIDDEN TESTS

# %%
MODELS = {
    "features": ulab.say(zh="特征", en="features"),
    "network": ulab.say(zh="网络", en="network"),
}
rows = {}
for (model, name), score in scores.items():
    where = shuffled if name == "random" else side
    mine = where == 2
    row = rows[MODELS[model], SPLITS[name]] = {
        "AUC": auc(score[mine], target[mine]),
        "AP": average_precision(score[mine], target[mine]),
        ulab.say(zh="缺陷比例", en="share of defects"): target[mine].mean(),
    }
    for label in NAMES:
        row[f"AUC {NAMES[label]}"] = auc(
            score[mine & (kind == label)], target[mine & (kind == label)]
        )
pd.DataFrame(rows).T.round(3)

# %% [markdown] lang="zh"
# 一次划分可能只是运气。特征的模型训练起来不到一秒，所以换二十个划分的种子再看一遍。

# %% [markdown] lang="en"
# One split may be luck. The model on features trains in less than a second, so look at twenty seeds of the split.

# %%
spread = {"random": [], "blocks": []}
for seed in range(3 if ulab.grading() else 20):
    parts = split_blocks(block, kind, np.random.default_rng(seed))
    for name, where in (
        ("blocks", parts),
        ("random", np.random.default_rng(seed).permutation(parts)),
    ):
        guess = logistic_regression(np.flatnonzero(where == 0))
        spread[name].append(auc(guess[where == 2], target[where == 2]))
figure, axis = plt.subplots(figsize=(7, 2.2))
for place, name in enumerate(spread):
    axis.plot(spread[name], np.full(len(spread[name]), place), "o", alpha=0.5)
    print(SPLITS[name], np.round([np.mean(spread[name]), min(spread[name]), max(spread[name])], 3))
axis.set_yticks(range(len(spread)), [SPLITS[name] for name in spread])
axis.set(ylim=(-0.5, 1.5))
axis.set_xlabel(
    ulab.say(zh="测试 AUC（特征，每个点一个划分）", en="test AUC (features, a dot for each split)")
)
plt.show()

# %% [markdown] lang="zh"
# 我们量得：这一次划分，网络的测试 AUC 随机是 0.81、按块是 0.77，特征是 0.82 和 0.75：按 AUC，网络并没有明显胜过二十几个手造的特征；按块划分的 AP，网络是 0.60，特征是 0.68，网络明显更差。换二十个种子，特征的测试 AUC 随机划分平均 0.83，按块平均 0.78。更要紧的是**散布**：随机划分总在 0.81 和 0.86 之间，按块的却从 0.58 到 0.84。随机划分不仅偏高，还让人以为结果很稳。有几次按块的也不低：只看一次划分，什么结论都可能得出。对电站有用的是按块划分得到的数字：新来的组件，模型一块也没见过。
#
# AP 要和缺陷比例一起看：瞎猜的 AP 约等于缺陷比例，所以缺陷比例不同的两个测试集，AP 不能直接比。

# %% [markdown] lang="en"
# We measured: for this split the network's test AUC is 0.81 for the random split and 0.77 by block, that of the features 0.82 and 0.75: by AUC the network isn't clearly better than some twenty features made by hand, and with the split by block its AP of 0.60 is clearly worse than the features' 0.68. Over twenty seeds, on features, the test AUC is 0.83 on average for random splits and 0.78 by block. The **spread** matters more: random splits always lie between 0.81 and 0.86, splits by block between 0.58 and 0.84. A random split isn't only too high, it makes the result look stable. Now and then a split by block scores well too: from one split alone any conclusion might follow. The park needs the number by block, because the model has never seen any of its modules.
#
# Read AP beside the share of defects: guessing has an AP of about that share, so two tests of unlike shares can't be compared by AP.

# %% [markdown] lang="zh"
# ## 七、阈值是一笔账
#
# 得分怎样变成“报警”或“放过”，要看两种错各损失多少。设想漏掉一片缺陷损失 5 个单位（发热、返工），误报损失 1 个单位（有人再看一眼）。**先猜后算**：阈值取概率 0.5（logit 为 0）、全部报警、按代价选，哪个最便宜？
#
# 训练时缺陷加了权，网络的“概率”不再是真的概率，所以不能套公式 1/(1+5)。办法是直接算账：**在验证集上**试遍每个可能的阈值，取最便宜的。测试集只用来报告。
#
# ### 第 5 题（4 分）：按代价选阈值
#
# - `cost(score, target, threshold, miss, false_alarm)`：得分**不低于**阈值就报警；返回每 100 片的代价：漏掉的每片 `miss`，误报的每片 `false_alarm`。
# - `best_threshold(score, target, miss, false_alarm)`：代价最小的阈值。候选是每个不同的得分，以及 `np.inf`（谁也不报警）；有几个一样便宜时，哪一个都行。
# - `tuned_cost(valid_score, valid_target, test_score, test_target, miss, false_alarm)`：返回 `(threshold, cost)`：在验证集上选的阈值，和它在测试集上的代价。
#
# <details><summary>提示 1：概念</summary>
#
# 漏报越贵，阈值越低。看过测试集再选，测试集就不再是测试集了。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 候选：`np.append(np.unique(score), np.inf)`；最小值的位置：`np.argmin`。
# </details>
# <details><summary>提示 3：形状</summary>
#
# `best_threshold` 对每个候选调用 `cost`；`tuned_cost` 调用前两个，各一次。
# </details>

# %% [markdown] lang="en"
# ## 7. A threshold is a bill
#
# What turns a score into an alarm depends on what the two mistakes cost. Say a missed defect costs 5 units (a hot spot, a repair) and a false alarm 1 (somebody looks again). **Predict, then run**: which is cheapest, a threshold of probability 0.5 (a logit of 0), an alarm for all, or one chosen by cost?
#
# As defects were weighted in training, the network's "probabilities" are no longer true probabilities, and the formula 1/(1+5) doesn't apply. So do the bill itself: **on the validation set** try each possible threshold and take the cheapest. The test set is for the report only.
#
# ### Item 5 (4 points): a threshold for a cost
#
# - `cost(score, target, threshold, miss, false_alarm)`: an alarm where the score is **at least** the threshold; return the cost of 100 cells: `miss` for each missed cell, `false_alarm` for each false alarm.
# - `best_threshold(score, target, miss, false_alarm)`: the threshold of least cost. Candidates are each different score and `np.inf` (no alarm at all); of several that are as cheap any will do.
# - `tuned_cost(valid_score, valid_target, test_score, test_target, miss, false_alarm)`: return `(threshold, cost)`, the threshold chosen on validation and what it costs on the test.
#
# <details><summary>Hint 1: the idea</summary>
#
# The dearer a miss, the lower the threshold. A test set looked at before choosing is no test set.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# Candidates: `np.append(np.unique(score), np.inf)`; the place of the least: `np.argmin`.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# `best_threshold` calls `cost` for each candidate; `tuned_cost` calls the other two, once each.
# </details>


# %% nbgrader={"grade_id": "threshold", "solution": true}
def cost(score, target, threshold, miss, false_alarm):
    ### BEGIN SOLUTION
    alarm = score >= threshold
    missed, false = ((target == 1) & ~alarm).mean(), ((target == 0) & alarm).mean()
    return 100 * (miss * missed + false_alarm * false)


def best_threshold(score, target, miss, false_alarm):
    candidates = np.append(np.unique(score), np.inf)
    costs = [cost(score, target, threshold, miss, false_alarm) for threshold in candidates]
    return candidates[np.argmin(costs)]


def tuned_cost(valid_score, valid_target, test_score, test_target, miss, false_alarm):
    threshold = best_threshold(valid_score, valid_target, miss, false_alarm)
    return threshold, cost(test_score, test_target, threshold, miss, false_alarm)
    ### END SOLUTION


# zh: 接着写 best_threshold 和 tuned_cost
# en: Now write best_threshold and tuned_cost


# %% nbgrader={"grade_id": "threshold-test", "grade": true, "points": 4}
def _bill(score, target, threshold, miss, false_alarm):
    alarm = np.asarray(score) >= threshold
    return 100 * np.mean(np.where(target == 1, miss * ~alarm, false_alarm * alarm))


def _least(score, target, miss, false_alarm):
    return min(_bill(score, target, at, miss, false_alarm) for at in [*score, np.inf])


_score, _truth = np.array([0.1, 0.4, 0.35, 0.8, 0.3]), np.array([0, 0, 1, 1, 0])
_got = float(cost(_score, _truth, 0.5, 10, 1))
assert not np.isclose(_got, 20), ulab.say(
    zh="漏了一片，却只算了误报的价：两个价钱反了。",
    en="One cell was missed at the price of a false alarm: the prices are swapped.",
)
assert np.isclose(_got, 200), ulab.say(
    zh=f"5 片里漏 1 片、没有误报，漏报价 10：每 100 片应是 200，得到 {_got:.4g}。",
    en=f"1 of 5 missed, no false alarm, a miss costs 10: that is 200 for 100 cells, not {_got:.4g}.",
)
_got = float(best_threshold(_score, _truth, 10, 1))
assert _got != 0.5, ulab.say(
    zh="阈值永远是 0.5？要按代价选。", en="Is it always 0.5? Choose by the cost."
)
assert np.isclose(_bill(_score, _truth, _got, 10, 1), 20), ulab.say(
    zh=f"阈值 {_got:.3g} 的代价是 {_bill(_score, _truth, _got, 10, 1):.4g}，而 0.35 只要 20。",
    en=f"The threshold {_got:.3g} costs {_bill(_score, _truth, _got, 10, 1):.4g}, while 0.35 costs 20.",
)
### BEGIN HIDDEN TESTS
assert np.isclose(float(cost(_score, _truth, 0.35, 7, 3)), 60), ulab.say(
    zh="得分正好等于阈值的也要报警。", en="A score that equals the threshold raises an alarm."
)
for _seed in range(6):
    _random = np.random.default_rng(_seed)
    _truth = np.r_[1, 0, (_random.random(38) < 0.3).astype(int)]
    _score = np.round(_random.normal(size=40) + _truth, 1 + _seed % 2)
    for _at in (_score[0], 0.05, 5.0, -5.0, np.inf):
        for _prices in ((10, 1), (1, 4), (2.5, 3.5)):
            assert np.isclose(
                float(cost(_score, _truth, _at, *_prices)), _bill(_score, _truth, _at, *_prices)
            ), ulab.say(
                zh="随机的 40 片，代价不对：漏报是目标为 1 而没有报警，误报是目标为 0 而报了警。",
                en="The cost of 40 random cells is wrong: a miss is target 1 without alarm, a false alarm target 0 with one.",
            )
    for _prices in ((10, 1), (1, 1), (1, 4), (1, 1000), (1000, 1)):
        _got = float(best_threshold(_score, _truth, *_prices))
        assert np.isclose(
            _bill(_score, _truth, _got, *_prices), _least(_score, _truth, *_prices)
        ), ulab.say(
            zh=f"漏报 {_prices[0]}、误报 {_prices[1]} 时，还有更便宜的阈值。候选里有 np.inf（谁也不报警）吗？",
            en=f"With {_prices[0]} a miss and {_prices[1]} a false alarm there is a cheaper threshold. "
            "Is np.inf (no alarm at all) among the candidates?",
        )
    _other = _random.permutation(_score) + 0.03
    _first = tuned_cost(_score, _truth, _other, _truth, 10, 1)
    _second = tuned_cost(_score, _truth, -_other, 1 - _truth, 10, 1)
    assert float(_first[0]) == float(_second[0]), ulab.say(
        zh="换了测试集，阈值就变了：它应当只由验证集决定。",
        en="Another test set changed the threshold: validation alone decides it.",
    )
    assert np.isclose(
        _bill(_score, _truth, float(_first[0]), 10, 1), _least(_score, _truth, 10, 1)
    ), ulab.say(
        zh="tuned_cost 的阈值在验证集上不是最便宜的。",
        en="The threshold of tuned_cost isn't the cheapest on validation.",
    )
    assert np.isclose(
        float(_first[1]), _bill(_other, _truth, float(_first[0]), 10, 1)
    ) and np.isclose(float(_second[1]), _bill(-_other, 1 - _truth, float(_first[0]), 10, 1)), (
        ulab.say(
            zh="tuned_cost 的代价应是测试集上的。",
            en="The cost of tuned_cost is that on the test set.",
        )
    )
    _dear = tuned_cost(_score, _truth, _other, _truth, 1, 30)
    assert np.isclose(
        _bill(_score, _truth, float(_dear[0]), 1, 30), _least(_score, _truth, 1, 30)
    ) and np.isclose(float(_dear[1]), _bill(_other, _truth, float(_dear[0]), 1, 30)), ulab.say(
        zh="误报更贵时，tuned_cost 不对。", en="tuned_cost is wrong where false alarms are dearer."
    )
### END HIDDEN TESTS

# %%
MISS, FALSE_ALARM = 5, 1
valid, test = side == 1, side == 2
score = scores["network", "blocks"]
threshold, tuned = tuned_cost(
    score[valid], target[valid], score[test], target[test], MISS, FALSE_ALARM
)
hindsight = best_threshold(score[test], target[test], MISS, FALSE_ALARM)
bills = {
    ulab.say(zh="概率 0.5", en="probability 0.5"): cost(
        score[test], target[test], 0, MISS, FALSE_ALARM
    ),
    ulab.say(zh="公式 1/(1+5)", en="formula 1/(1+5)"): cost(
        score[test], target[test], -np.log(MISS), MISS, FALSE_ALARM
    ),
    ulab.say(zh="全部报警", en="alarm for all"): cost(
        score[test], target[test], -np.inf, MISS, FALSE_ALARM
    ),
    ulab.say(zh="在验证集上选", en="chosen on validation"): tuned,
    ulab.say(zh="看过测试集（不可能做到）", en="in hindsight (impossible)"): cost(
        score[test], target[test], hindsight, MISS, FALSE_ALARM
    ),
}
print(pd.Series(bills).round(1).to_string())
figure, axis = plt.subplots(figsize=(8, 3.6))
for part, label in (
    (valid, ulab.say(zh="验证", en="validation")),
    (test, ulab.say(zh="测试", en="test")),
):
    grid = np.quantile(score, np.linspace(0, 1, 120))
    axis.plot(
        grid, [cost(score[part], target[part], at, MISS, FALSE_ALARM) for at in grid], label=label
    )
axis.axvline(
    threshold, color="gray", ls=":", label=ulab.say(zh="选定的阈值", en="the threshold chosen")
)
axis.axvline(
    0, color="tab:red", ls="--", lw=0.8, label=ulab.say(zh="概率 0.5", en="probability 0.5")
)
axis.set_xlabel(ulab.say(zh="阈值（logit）", en="threshold (logit)"))
axis.set_ylabel(ulab.say(zh="每 100 片的代价（单位）", en="cost of 100 cells (units)"))
axis.legend()
plt.show()

# %% [markdown] lang="zh"
# 我们量得，每 100 片：概率 0.5 是 72 个单位，全部报警 67.5 个单位，在验证集上选的 61 个单位。“概率 0.5”比全部报警还贵，因为它把两种错当成一样贵。公式这一次只要 56 个单位，那是运气：网络的概率不是真的概率，事先没有理由信它，事后挑最便宜的就是在测试集上调参。验证集上选的阈值也不是测试集上最好的那一个（52.5 个单位），因为它们是**不同的组件**。漏报越贵，“全部报警”越难打败：把 `MISS` 改成 10 再运行，看看还省多少。
#
# ## 八、分类型的错误，和诚实的区间
#
# 总分好看，可能是因为一种类型做得好、另一种很差。单晶和多晶分开看：漏了多少，误报多少，这个数字有多可靠？
#
# **先自己试**：测试集约六百片，却只有十块组件。一块组件拍得暗，里面几十片会一起错。把片子当作互相独立来算区间，会太宽还是太窄？
#
# **自助法**（bootstrap）：有放回地重抽很多次，每次算一个漏报率，取中间 95%。抽什么，取决于什么是独立的：**抽块，不抽片。**
#
# ### 第 6 题（4 分）：分类型的错误和区间
#
# 写 `errors_by_kind(alarm, target, kind, block, random, repeats=400)`：`alarm` 是布尔数组。返回 DataFrame，行是类型（按字母排序），列是
#
# - `cells`、`defects`：片数、缺陷数；
# - `missed`：缺陷里没报警的比例；`false_alarms`：好片里报了警的比例；
# - `low`、`high`：`missed` 的 95% 区间：从**这一类型的块**里有放回地抽同样多块，所抽各块的片子合在一起算漏报率（抽到两次的块算两次），重复 `repeats` 次，取 2.5% 和 97.5% 分位数。抽到的块里一片缺陷也没有的那次不算。
#
# <details><summary>提示 1：概念</summary>
#
# 是合在一起的比例，不是各块比例的平均：大的块、缺陷多的块分量重。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 先数好每块漏了几片、有几片缺陷，重抽就只是抽这两列数；`random.integers(0, n, (repeats, n))` 一次抽完。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 对每种类型：每块的两列数 → 抽 → 各自求和 → 去掉缺陷为 0 的 → 相除 → `np.quantile`。
# </details>

# %% [markdown] lang="en"
# We measured for 100 cells: 72 units at probability 0.5, 67.5 for an alarm for all, 61 chosen on validation. "Probability 0.5" is dearer than an alarm for all, as it treats both mistakes as equally costly. The formula costs only 56 this time, by luck: the network's probabilities are not true probabilities, so there was no reason to trust the formula beforehand, and picking the cheapest afterwards is tuning on the test. Nor is the threshold chosen on validation the best on the test (52.5 units), because they are **other modules**. The dearer a miss, the harder "alarm for all" is to beat: set `MISS` to 10, run again, and see what is still saved.
#
# ## 8. Errors by kind, with an honest interval
#
# A fair total may hide one kind done well and one badly. Look at mono and poly apart: how many are missed, how many alarms are false, and how far can that be trusted?
#
# **Try first**: the test has some six hundred cells, but ten modules only. If a module's images are dark, dozens of its cells go wrong together. Does an interval that takes cells for independent come out too wide or too narrow?
#
# A **bootstrap** draws again and again with replacement, takes the share of misses each time, and keeps the middle 95 %. What to draw depends on what is independent: **draw blocks, not cells.**
#
# ### Item 6 (4 points): errors by kind, with an interval
#
# Write `errors_by_kind(alarm, target, kind, block, random, repeats=400)`; `alarm` is Boolean. Return a DataFrame with a row for each kind (in alphabetical order) and the columns
#
# - `cells`, `defects`: numbers of cells and of defective ones;
# - `missed`: the share of defective cells without an alarm; `false_alarms`: the share of good cells with one;
# - `low`, `high`: the 95 % interval of `missed`: draw as many of **this kind's blocks** as there are, with replacement, pool the cells of those drawn (a block drawn twice counts twice) for a share of misses, do so `repeats` times, and take the quantiles 2.5 % and 97.5 %. A draw without any defective cell is left out.
#
# <details><summary>Hint 1: the idea</summary>
#
# It is the pooled share, not the mean of the blocks' shares: blocks with more defects weigh more.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# Count misses and defects of each block first, and draw these two columns of numbers; `random.integers(0, n, (repeats, n))` draws all at once.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# For each kind: two numbers a block → draw → sum each → leave out those without defects → divide → `np.quantile`.
# </details>


# %% nbgrader={"grade_id": "errors", "solution": true}
def errors_by_kind(alarm, target, kind, block, random, repeats=400):
    ### BEGIN SOLUTION
    bad, rows = target == 1, {}
    for name in np.unique(kind):
        mine = kind == name
        blocks = np.unique(block[mine])
        defects = np.array([(mine & bad & (block == one)).sum() for one in blocks])
        missed = np.array([(mine & bad & ~alarm & (block == one)).sum() for one in blocks])
        drawn = random.integers(0, len(blocks), (repeats, len(blocks)))
        total, lost = defects[drawn].sum(axis=1), missed[drawn].sum(axis=1)
        low, high = np.quantile(lost[total > 0] / total[total > 0], [0.025, 0.975])
        rows[name] = {
            "cells": mine.sum(),
            "defects": defects.sum(),
            "missed": missed.sum() / defects.sum(),
            "false_alarms": alarm[mine & ~bad].mean(),
            "low": low,
            "high": high,
        }
    return pd.DataFrame(rows).T
    ### END SOLUTION


# %% nbgrader={"grade_id": "errors-test", "grade": true, "points": 4}
@ulab.at_student
def _errors(alarm, target, kind, block, seed, repeats):
    table = errors_by_kind(alarm, target, kind, block, np.random.default_rng(seed), repeats)
    return table.astype(float)


def _made(counts):
    rows = [
        (name, number, bad, lost)
        for number, (name, good, defects, missed) in enumerate(counts)
        for bad, lost in [(0, i % 4 == 0) for i in range(good)]
        + [(1, i < missed) for i in range(defects)]
    ]
    kinds, blocks, bad, wrong = (np.array(column) for column in zip(*rows))
    return (bad == 1) ^ wrong, bad, kinds, blocks


_counts = [
    ("mono", 8, 4, 4),
    ("mono", 8, 4, 0),
    ("mono", 8, 4, 0),
    ("mono", 8, 4, 4),
    ("mono", 8, 4, 0),
]
_counts += [("poly", 20, 2, 1), ("poly", 20, 2, 1), ("poly", 20, 2, 1), ("poly", 4, 2, 1)]
_given = _made(_counts)
_got = _errors(*_given, 0, 2000)
assert {"cells", "defects", "missed", "false_alarms", "low", "high"} <= set(_got.columns), ulab.say(
    zh=f"缺了列，现在有 {list(_got.columns)}。",
    en=f"Columns are missing; there are {list(_got.columns)}.",
)
assert list(_got.index) == ["mono", "poly"], ulab.say(
    zh=f"行应是 mono 和 poly，现在是 {list(_got.index)}。",
    en=f"Rows should be mono and poly, not {list(_got.index)}.",
)
assert not np.isclose(_got.missed["mono"], 8 / 60), ulab.say(
    zh="漏报率的分母应是缺陷数，不是片数。",
    en="Divide misses by defective cells, not by all cells.",
)
assert np.allclose(_got.missed, [0.4, 0.5]) and np.allclose(_got.false_alarms, [0.25, 0.25]), (
    ulab.say(
        zh="漏报率或误报率不对：单晶应是 0.40 和 0.25，多晶应是 0.50 和 0.25。",
        en="Shares of misses or false alarms are wrong: 0.40 and 0.25 for mono, 0.50 and 0.25 for poly.",
    )
)
assert _got.low["mono"] < 0.05 and _got.high["mono"] > 0.75, ulab.say(
    zh=f"五块单晶里，两块全漏、三块不漏，区间却是 {_got.low['mono']:.2f} 到 {_got.high['mono']:.2f}，太窄：要抽块，不抽片，每次抽同样多块，而且只抽这一类型的块。",
    en=f"Of five mono blocks two are missed wholly and three not at all, and the interval is {_got.low['mono']:.2f} "
    f"to {_got.high['mono']:.2f}: too narrow. Draw blocks, not cells, as many as there are, and those of this kind only.",
)
assert np.allclose(_got.loc["poly", ["low", "high"]], 0.5), ulab.say(
    zh="每块多晶都正好漏一半，区间应当是 0.50 到 0.50：抽的是块，而且只抽这一类型的块。",
    en="Each poly block misses exactly half, so the interval is 0.50 to 0.50: draw blocks, of this kind only.",
)
### BEGIN HIDDEN TESTS
assert np.allclose(_got.cells, [60, 72]) and np.allclose(_got.defects, [20, 8]), ulab.say(
    zh="cells 或 defects 不对。", en="cells or defects are wrong."
)
_counts = [
    ("poly", 5, n, m)
    for n, m in ((1, 1), (2, 2), (30, 3), (12, 6), (9, 0), (20, 9), (6, 5), (15, 1))
]
_counts += [
    ("mono", 9 + 3 * n, n, m)
    for n, m in ((25, 2), (3, 3), (8, 0), (40, 22), (1, 0), (10, 4), (7, 6))
]
_given = _made(_counts)
_got = _errors(*_given, 1, 4000)
for _name in ("mono", "poly"):
    _n, _m = np.array([(n, m) for name, _, n, m in _counts if name == _name]).T
    _draw = np.random.default_rng(5).integers(0, len(_n), (20000, len(_n)))
    _want = np.quantile(_m[_draw].sum(1) / _n[_draw].sum(1), [0.025, 0.975])
    assert np.isclose(_got.missed[_name], _m.sum() / _n.sum()), ulab.say(
        zh="各块大小不同时，漏报率不对：合在一起算，不是各块的平均。",
        en="With blocks of unequal size the share of misses is wrong: pool the cells, don't average the blocks.",
    )
    assert np.allclose(_got.loc[_name, ["low", "high"]], _want, atol=0.025), ulab.say(
        zh=f"各块大小不同时，区间应约为 {_want[0]:.2f} 到 {_want[1]:.2f}，得到 {_got.low[_name]:.2f} 到 {_got.high[_name]:.2f}。所抽各块要合在一起算比例，不是各块比例的平均；每次抽的块数与原来相同。",
        en=f"With blocks of unequal size the interval is about {_want[0]:.2f} to {_want[1]:.2f}, "
        f"not {_got.low[_name]:.2f} to {_got.high[_name]:.2f}. Pool the blocks drawn, don't average their shares; "
        "draw as many blocks as there are.",
    )
_few = _made([("mono", 5, 0, 0), ("mono", 6, 0, 0), ("mono", 4, 1, 1), ("mono", 4, 8, 2)])
_got = _errors(*_few, 2, 4000)
assert np.isfinite(_got.to_numpy()).all(), ulab.say(
    zh="抽到的块里一片缺陷也没有时，那一次不算（否则是 0/0）。",
    en="A draw without any defective cell is left out (it would be 0/0).",
)
assert np.isclose(_got.low["mono"], 0.25) and np.isclose(_got.high["mono"], 1), ulab.say(
    zh="四块里有两块没有缺陷：区间应是 0.25 到 1.00。",
    en="Two of four blocks have no defects: the interval is 0.25 to 1.00.",
)
_order = np.random.default_rng(0).permutation(len(_given[0]))
_mixed = _errors(*[part[_order] for part in _given], 1, 4000)
assert np.allclose(_mixed.to_numpy(), _errors(*_given, 1, 4000).to_numpy(), atol=0.02), ulab.say(
    zh="片子的顺序不该影响结果。", en="The order of cells must not matter."
)
### END HIDDEN TESTS

# %%
alarm = score >= threshold
by_block = errors_by_kind(
    alarm[test], target[test], kind[test], block[test], np.random.default_rng(0)
)
by_cell = errors_by_kind(
    alarm[test], target[test], kind[test], np.arange(test.sum()), np.random.default_rng(0)
)
print(ulab.say(zh="按块：", en="by block:"), by_block.astype(float).round(2), sep="\n")
print(
    ulab.say(zh="按片（太窄）：", en="by cell (too narrow):"),
    by_cell[["low", "high"]].astype(float).round(2),
    sep="\n",
)
figure, axis = plt.subplots(figsize=(7, 2.6))
for offset, table_of, label in (
    (0.12, by_block, ulab.say(zh="自助法抽块", en="bootstrap over blocks")),
    (-0.12, by_cell, ulab.say(zh="自助法抽片（错）", en="over cells (wrong)")),
):
    places = np.arange(len(table_of)) + offset
    axis.hlines(
        places,
        table_of.low.astype(float),
        table_of.high.astype(float),
        lw=3,
        label=label,
        color=f"C{offset < 0:d}",
    )
    axis.plot(table_of.missed.astype(float), places, "o", color="black", ms=4)
axis.set_yticks(range(len(by_block)), [NAMES[name] for name in by_block.index])
axis.set_xlabel(ulab.say(zh="漏报率", en="share of defects missed"))
axis.set(xlim=(-0.02, 1), ylim=(-0.6, len(by_block) - 0.4))
axis.legend(loc="upper right")
plt.show()

# %% [markdown] lang="zh"
# 我们量得：多晶漏报 0.08，按块的区间是 0.01 到 0.25，按片的只有 0.04 到 0.14。宽的那个才回答“换一批组件会怎样”。单晶一片也没漏，却几乎全部报了警（误报 0.99）：一个阈值套两种类型，单晶等于没有筛。它的区间是 0 到 0，也不表示永远不会漏：自助法只能重抽见过的块。这里两个区间并不重叠，也不能说单晶做得更好：它漏得少，是靠几乎全部报警。漏报和误报要一起看，而且每种类型只有四到六块。
#
# ## 九、网络在看哪里
#
# 最后一层是对整张图取平均，再加权求和。把“取平均”去掉，就得到每个位置对 logit 的贡献：**类激活图**（class activation map，CAM）。红色把判断推向“有缺陷”。先看一眼：红的地方真的是暗斑和裂纹，还是边缘、栅线？

# %% [markdown] lang="en"
# We measured: of poly a share of 0.08 is missed, with an interval by block from 0.01 to 0.25, by cell only from 0.04 to 0.14. The wide one answers "what about other modules". Of mono nothing is missed, but nearly all of it raises alarms (false alarms 0.99): with one threshold for both kinds, mono isn't screened at all. Its interval from 0 to 0 doesn't mean that it never will be missed: a bootstrap only draws blocks that it has seen. The two intervals don't overlap here, and still mono can't be called better: few are missed because nearly all raise alarms. Read misses and false alarms together, and remember that a kind has only four to six blocks.
#
# ## 9. Where does the network look?
#
# Its last layers take a mean over the image and then a weighted sum. Leave out the mean, and each place's contribution to the logit remains: a **class activation map** (CAM). Red pushes towards "defective". Look: is red where dark spots and cracks are, or on edges and busbars?

# %%
network = networks["blocks"]
order = np.flatnonzero(test)[np.argsort(-score[test])]
worst = [place for place in order if target[place] == 1][-2:]
shown = [
    *[place for place in order if target[place] == 1][:2],
    *[place for place in order if target[place] == 0][:2],
    *worst,
]
with torch.no_grad():
    maps = (
        torch.einsum("bchw,c->bhw", network[0](inputs[shown]), network[3].weight[0]).cpu().numpy()
    )
titles = [
    ulab.say(zh="报对", en="hit"),
    ulab.say(zh="误报", en="false alarm"),
    ulab.say(zh="得分最低的缺陷", en="lowest defect"),
]
figure, axes = plt.subplots(2, 6, figsize=(12, 4.4))
for number, place in enumerate(shown):
    axes[0, number].imshow(small[place], cmap="gray", vmin=0, vmax=1)
    axes[0, number].set_title(
        f"{titles[number // 2]}\n{NAMES[kind[place]]} z = {score[place]:.1f}", fontsize=9
    )
    axes[1, number].imshow(small[place], cmap="gray", vmin=0, vmax=1, extent=(0, 7, 7, 0))
    reach = np.abs(maps).max()
    axes[1, number].imshow(
        maps[number], cmap="coolwarm", vmin=-reach, vmax=reach, alpha=0.5, extent=(0, 7, 7, 0)
    )
for axis in axes.ravel():
    axis.set(xticks=[], yticks=[])
plt.show()

# %% [markdown] lang="zh"
# ## 十、记下实验
#
# 四种组合各记成一次运行，测试集的大小相同；按块的两次用的是**同一份划分**。运行后在平台上这个实验的页面点“我的运行记录”，全选后点 Compare：按 `auc` 排序，随机划分的和按块的名次怎样？只看 `split=blocks` 的两次，网络比特征好多少？

# %% [markdown] lang="en"
# ## 10. Log the experiment
#
# Each of the four pairs becomes a run, with tests of equal size; the two by block share **one split**. Then open "My runs" on this lab's page, select all and press Compare: sort by `auc`, and where are random splits and blocks? Of the two with `split=blocks` alone, how much better is the network than the features?

# %%
if not ulab.grading():
    for (model, name), scored in scores.items():
        where = shuffled if name == "random" else side
        parts = [scored[where == 1], target[where == 1], scored[where == 2], target[where == 2]]
        with ulab.track(
            f"{model}, {name}", model=model, split=name, miss=MISS, false_alarm=FALSE_ALARM
        ) as run:
            run.log(auc=auc(*parts[2:]), average_precision=average_precision(*parts[2:]))
            run.log(cost=tuned_cost(*parts, MISS, FALSE_ALARM)[1])

# %% [markdown] lang="zh"
# ## 十一、要不要用它
#
# ### 第 7 题（4 分，由教师评分）：要不要用它
#
# 电站想用这个模型筛查一批**从没拍过**的组件。用 150–300 字回答：
#
# 1. 你会报告哪个 AUC，随机划分的还是按块的？引用自己运行的两个数，说明随机的为什么偏高，1 分；
# 2. 选定的阈值比“全部报警”省多少？省得够不够，“几乎不省”也可以是结论，1 分；
# 3. 引用一种类型的漏报率和按块的区间：它能支持“单晶（或多晶）做得更好”吗，1 分；
# 4. 上线之前还要做什么：收集什么、谁来标、怎样发现它失效，1 分。

# %% [markdown] lang="en"
# ## 11. Would you use it?
#
# ### Item 7 (4 points, graded by your instructor): would you use it?
#
# The park wants to screen modules **never photographed before** with this model. Answer in 100–200 words:
#
# 1. which AUC would you report, that of the random split or that of blocks? Give both of your own run, and say why the random one is too high, 1 point;
# 2. how much does the chosen threshold save against an alarm for all? Is that enough? "Hardly anything" may be the conclusion, 1 point;
# 3. give one kind's share of misses with its interval by block: does it support "better on mono (or poly)", 1 point;
# 4. what has to be done before use: what to collect, who annotates, how a failure would be noticed, 1 point.

# %% [markdown] lang="zh" nbgrader={"grade_id": "use-it", "grade": true, "solution": true, "points": 4}
# ### BEGIN SOLUTION
# **评分要点**（每条 1 分）
#
# 1. 报告按块的 AUC，引用自己的两个数（以学生的运行为准）；说明随机划分让同一块组件的片子进了两边，模型可以认组件的亮度和外观。如果这一次两个数差不多，能引用二十个种子的平均（约 0.83 对 0.78）和散布，也得分。
# 2. 引用代价表里的两个数并相减。省得很少时，说“几乎不省，不如先全部复查”可以得分；说“省得多”要与数字相符。
# 3. 引用一种类型的 `missed`、`low`、`high`；两种类型的区间重叠，或者漏得少只是因为几乎全部报警，都不支持“更好”；注意每种类型只有四到六块。
# 4. 例如：收集本地的组件、相机和季节的图像，记下组件编号；至少两人独立标注，没有把握的复查或测功率；先与人工并行一段时间，抽查没报警的片子，监测得分和报警率的变化，定期重新选阈值。
#
# **参考答案**：我会报告按块的 AUC。随机划分里同一块组件在两边，模型认得它的亮度；换二十个种子，特征的平均是随机 0.83、按块 0.78，而且按块的最低只有 0.58。按验证集选的阈值，每 100 片损失 61 个单位，全部报警损失 67.5 个单位，只省一成，换一批组件可能一点也不省，所以还不能让它代替人。多晶漏报 0.08，按块的区间是 0.01 到 0.25；单晶没有漏，但误报 0.99，等于没有筛，而且只有四块，不能说它更好。上线前我会在本地拍几十块组件，记下编号，两人分别标注，没有把握的测功率；并行运行一个冬天，每周抽查没报警的片子，漏报率或得分的分布变了就停用，重新选阈值。
# ### END SOLUTION

# %% [markdown] lang="en" nbgrader={"grade_id": "use-it", "grade": true, "solution": true, "points": 4}
# ### BEGIN SOLUTION
# **Rubric** (1 point each)
#
# 1. Reports the AUC by block with two figures of the student's own run; a random split puts cells of one module on both sides, whose brightness and looks the model can recognise. Where the two are alike this time, quoting the averages of twenty seeds (about 0.83 against 0.78) and their spread earns the point.
# 2. Gives two figures of the bill and their difference. Where little is saved, "hardly anything, rather check all" earns the point; "a lot" has to agree with the figures.
# 3. Gives `missed`, `low` and `high` of a kind; neither overlapping intervals nor few misses bought by alarms for nearly all support "better"; a kind has only four to six blocks.
# 4. For instance: images of local modules, cameras and seasons, with the modules' numbers; two annotators apart, unsure cells looked at again or measured; first beside people, checking some cells without alarms, watching scores and rates of alarms, choosing the threshold anew from time to time.
#
# **Model answer**: I'd report AUC by block. In a random split a module is on both sides and the model knows its brightness; over twenty seeds the average on features is 0.83 for random splits and 0.78 by block, and the lowest by block is 0.58. The threshold chosen on validation costs 61 units for 100 cells and an alarm for all 67.5: a tenth is saved, on other modules perhaps nothing, so it can't replace people yet. Of poly 0.08 is missed, by block from 0.01 to 0.25; of mono nothing, but with false alarms of 0.99 it isn't screened, and it has four blocks only, so I can't call it better. Before use I'd photograph some dozens of local modules with their numbers, have two people annotate apart, and measure the power of unsure cells. I'd run it beside people for a winter, check cells without alarms weekly, and stop it and choose the threshold anew when misses or the scores' distribution change.
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 更进一步
#
# 下一格在有 GPU 时**自动运行**：输入 150 像素，宽 32，60 轮，三个种子。没有 GPU 时只打印一句提示。比较：更大的网络提高的是随机划分的成绩，还是按块的成绩？还可以试：
#
# - **有序的标签**：四档概率是有序的。把目标换成概率本身（软标签），或者用三个二元输出“大于 0、大于 1/3、大于 2/3”，AUC 变吗？
# - 换十个划分的种子，画出按块的测试 AUC 的散布：一次划分的成绩能信几分？
# - 只用多晶训练，在单晶上测试。

# %% [markdown] lang="en"
# ## Going further
#
# With a GPU the next cell **runs by itself**: inputs of 150 pixels, a width of 32, 60 epochs, three seeds. Without one it only says so. Compare: does a larger network raise the score of random splits, or that of blocks? Other things to try:
#
# - **Ordered labels**: the four probabilities are in order. Take the probability itself as a target (soft labels), or three binary outputs "above 0, above 1/3, above 2/3": does AUC change?
# - Ten seeds of the split, and the spread of the test AUC by block: how far can one split be trusted?
# - Train on poly alone, and test on mono.

# %%
if device == "cuda" and not ulab.grading():
    finer = np.array([smaller(image, 2) for image in cells.images])
    finer -= finer.mean((1, 2), keepdims=True)
    finer = torch.tensor(finer / finer.std((1, 2), keepdims=True))[:, None].to(device)
    for name, where in (("random", shuffled), ("blocks", side)):
        for seed in range(3):
            wide = train_network(
                np.flatnonzero(where == 0), seed, epochs=60, width=32, inputs=finer
            )
            large = logits_of(wide, finer)[where == 2]
            print(SPLITS[name], seed, round(auc(large, target[where == 2]), 3))
else:
    print(ulab.say(zh="没有 GPU：这一格跳过。", en="No GPU: this cell is left out."))

# %% [markdown] lang="zh"
# ## 边界与许可
#
# - 块是由文件顺序推出来的，不是数据给的；在两段长的单晶、多晶里，边界可能偏十来片，所以两边仍可能有少量片子来自同一块组件。
# - 测试只有十块组件：换一个划分的种子，成绩会差很多。标签是专家看图得出的，不是测得的功率。
# - 代价 5 比 1 和白城的电站是设想的。EL 图像来自德国的研究者，那里的组件、相机和气候与东北不同。
# - 数据：elpv-dataset（Buerhop-Lutz 等，2018；Deitsch 等，2019、2021），**CC BY-NC-SA 4.0**：不得用于商业；要注明作者；改过的数据只能以同样的许可发布。由 PyPI 软件包 `elpv-dataset` 携带。文中的数字是在 CPU 上量的。

# %% [markdown] lang="en"
# ## Limits and licence
#
# - Blocks are inferred from the file's order, not given. In the two long runs a border may be off by some ten cells, so a few cells of one module may still be on both sides.
# - The test has ten modules: with another seed of the split scores differ a lot. Labels are what experts saw in images, not measured power.
# - The costs of 5 and 1 and the park in Baicheng are imagined. The images come from researchers in Germany, whose modules, cameras and climate aren't those of Northeast China.
# - Data: elpv-dataset (Buerhop-Lutz et al., 2018; Deitsch et al., 2019 and 2021), **CC BY-NC-SA 4.0**: no commercial use, name the authors, pass on changed data under the same licence only. It is carried by the PyPI package `elpv-dataset`. Figures in the text were measured on a CPU.
