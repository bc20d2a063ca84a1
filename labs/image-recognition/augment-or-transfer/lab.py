# %% [markdown] lang="zh"
# # 数据增强和迁移，什么时候值得？
#
# 设想长春的一个服装退货仓库要上一条自动分拣线。相机架在传送带上方，衣服落下来时**位置偏几个像素、左右朝向也不一定**。会认衣服的老师傅只抽得出半天，标了 **1000 张**摆得端端正正的照片。
#
# 有人出了两个主意，都不用再标照片：
#
# - **数据增强**（augmentation）：训练时把照片随机挪一挪、翻一翻，当成新照片用；
# - **迁移学习**（transfer learning）：先在别的类别上训练好网络，再改用到你的类别上。
#
# **哪个值得做？值多少？** 网上的说法是“都有用”。这节实验不信说法，只信测量。
#
# | | |
# | --- | --- |
# | 做完以后你能 | 写出正确的数据增强；只增强训练集；换分类头、冻结主体；用多个随机种子公平地比较，敢于说“看不出差别” |
# | 你需要先会 | 写过 PyTorch 的训练循环（“认衣服”那节就够）；知道均值和标准差 |
# | 大约用时 | 100 分钟（电脑计算的时间约 2 分钟） |
# | 计分 | 7 处作答，共 22 分；最后一题由教师评分 |

# %% [markdown] lang="en"
# # When do augmentation and transfer pay?
#
# Imagine a warehouse in Changchun where returned clothes arrive and a sorting line is planned. The camera hangs over a belt, and garments land **a few pixels off and facing either way**. The colleague who knows garments had half a day: she labelled **1,000 photographs**, each neatly centred.
#
# Two ideas are on the table, and neither needs another label:
#
# - **augmentation**: while training, move and mirror the photographs at random and use them as new ones;
# - **transfer learning**: train a network on other classes first, then reuse it for yours.
#
# **Which one pays, and how much?** "Both help", you read everywhere. This lab believes measurements only.
#
# | | |
# | --- | --- |
# | Afterwards you can | write a correct augmentation; augment training data alone; replace a head and freeze a body; compare fairly over several random seeds and dare to say "no clear difference" |
# | You need | a training loop in PyTorch written once (the lab "Telling garments apart" is enough); means and standard deviations |
# | Time | about 100 minutes (the computer works for about 2 of them) |
# | Score | 7 answers, 22 points; your instructor grades the last one |

# %% [markdown] lang="zh"
# ## 0 准备
#
# 从上往下运行。锁住的格子不用改；写着 `# 在这里写你的代码` 的才是作答处。每题后面有测试：通过时不出声，不通过会说哪里不对。交卷后还有看不见的测试，内容不超出题目说明。卡住了就点开提示，一共三步。
#
# 路线：量出问题 → **1** 写增强 → **2** 只增强训练集 → 实验一 → **3** 怎样比较才公平 → **4** 换头 → **5** 冻结 → 实验二 → 记录 → **6** 交出你的模型 → **7** 你的建议。

# %% [markdown] lang="en"
# ## 0 Getting ready
#
# Run from top to bottom. Locked cells need no change; your answers go where it says `# Write your code here`. Tests follow each task: silent when they pass, and when they don't they say what is wrong. After you hand in, more tests run that you can't see; they ask nothing beyond the task's text. When stuck, unfold the hints, three steps each.
#
# The way: measure the trouble → **1** write the augmentation → **2** augment training data alone → experiment one → **3** compare fairly → **4** a new head → **5** freezing → experiment two → keep a record → **6** hand in your model → **7** your advice.

# %% nbgrader={"grade_id": "setup", "locked": true}
import copy
import math
from collections import OrderedDict

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
import ulab
from scipy import stats
from sklearn.linear_model import LogisticRegression
from torch import nn
from torchvision.transforms import v2

ulab.use_fonts()
device = ulab.device()

# zh: 判分时训练得少，只要几十秒；你自己运行时多一些。
# en: While grading, training is short, some tens of seconds; on your own it takes more.
EPOCHS, SEEDS, DRAWS, STEPS, TEST_SIZE = (1, 3, 3, 5, 200) if ulab.grading() else (30, 4, 6, 60, 4000)
FINAL_EPOCHS = 15 if ulab.grading() else 30
BATCH = 64
print(ulab.say(zh=f"在 {device} 上计算。", en=f"Computing on {device}."))

# %% [markdown] lang="zh"
# 数据是 Fashion-MNIST 的商品照片（28×28，灰度）。我们**故意只用 1500 张**：1000 张训练，500 张验证。像素除以 255，落在 0 到 1 之间，**背景正好是 0**：平移以后空出来的地方补 0，就和背景一样。
#
# “到岗后的照片”由我们模拟：把测试图随机平移最多 ±5 像素，一半左右翻转。这是对传送带的**假设**，真实的传送带要另外测。

# %% [markdown] lang="en"
# The data are Fashion-MNIST's product photographs (28×28, grey). We use **only 1,500 on purpose**: 1,000 to train, 500 to validate. Pixels are divided by 255, so they lie from 0 to 1 and **the background is exactly 0**: what a shift leaves empty is filled with 0 and looks like background.
#
# "Photographs at work" are imitated: test images moved at random by up to ±5 pixels, half of them mirrored. That is an **assumption** about the belt; a real belt has to be measured.

# %% nbgrader={"grade_id": "load", "locked": true}
data = ulab.load("fashion-mnist")


def as_tensors(images, labels):
    # zh: 形状 (张数, 1, 高, 宽)，数值 0 到 1
    # en: shape (images, 1, height, width), values from 0 to 1
    return torch.tensor(images, dtype=torch.float32).unsqueeze(1) / 255, torch.tensor(labels.astype(np.int64))


N_TRAIN = 1000
x, y = as_tensors(data.train_images[:1500], data.train_labels[:1500])
x_test, y_test = as_tensors(data.test_images[:TEST_SIZE], data.test_labels[:TEST_SIZE])


def at_work(images, seed, reach=5):
    # zh: 模拟传送带：每张图有自己的平移和翻转
    # en: imitate the belt: each image has its own shift and mirror
    rng = np.random.default_rng(seed)
    moved = torch.zeros_like(images)
    for k, image in enumerate(images):
        down, right = rng.integers(-reach, reach + 1, 2)
        image = v2.functional.affine(image, angle=0, translate=[int(right), int(down)], scale=1, shear=[0, 0])
        moved[k] = v2.functional.horizontal_flip(image) if rng.random() < 0.5 else image
    return moved


x_work = at_work(x_test, seed=5)
print(x.shape, x.min().item(), x.max().item(), "|", x_test.shape, "|", np.bincount(y[:N_TRAIN]))

# %%
figure, axes = plt.subplots(2, 10, figsize=(10, 2.6))
for k in range(10):
    axes[0, k].imshow(x_test[k, 0], cmap="gray", vmin=0, vmax=1)
    axes[1, k].imshow(x_work[k, 0], cmap="gray", vmin=0, vmax=1)
    axes[0, k].set_title(data.names[y_test[k]], fontsize=8)
for axis in axes.flat:
    axis.set_xticks([])
    axis.set_yticks([])
axes[0, 0].set_ylabel(ulab.say(zh="摆正的", en="centred"))
axes[1, 0].set_ylabel(ulab.say(zh="到岗后", en="at work"))
plt.show()

# %% [markdown] lang="zh"
# ## 先量出问题
#
# 网络分成两段：**主体**（body）把图变成特征，**头**（head）把特征变成各类得分。后面换头、冻结都靠这个分法。`BatchNorm` 在训练时用这一批的均值和方差，同时悄悄记下**滑动统计量**，评估时用记下的。`Trainer` 走一个训练步：切到训练模式、算损失、更新参数、降学习率。
#
# **先猜再运行。** 用 1000 张摆正的照片训练，在摆正的测试图上大约能到 0.83。同样的衣服挪动、翻转以后呢？

# %% [markdown] lang="en"
# ## First, measure the trouble
#
# The network has two parts: the **body** turns an image into features, the **head** turns features into a score for each class. Replacing heads and freezing rest on this. In training, `BatchNorm` uses the batch's mean and variance and quietly keeps **running statistics**; in evaluation it uses what it kept. `Trainer` takes one step of training: training mode, loss, update, a smaller learning rate.
#
# **Guess before you run.** Trained on 1,000 centred photographs, the network gets about 0.83 right on centred test images. And on the same garments moved and mirrored?

# %%
my_work_guess = 0.8

# %% nbgrader={"grade_id": "network", "locked": true}
def make_net(classes=10, channels=12):
    body = nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(channels, 2 * channels, 3, padding=1), nn.BatchNorm2d(2 * channels), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten())
    return nn.Sequential(OrderedDict(body=body, head=nn.Linear(2 * channels * 49, classes))).to(device)


class Trainer:
    # zh: prepare(model) 在开始时和每次切到训练模式以后各调用一次，第 5 题会用到
    # en: prepare(model) is called at the start and each time training mode was set; task 5 uses it
    def __init__(self, model, steps, prepare=None, learning_rate=3e-3):
        self.model, self.prepare = model, prepare
        self.get_ready()
        self.optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=learning_rate)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, learning_rate, total_steps=steps)

    def get_ready(self):
        self.model.train()
        if self.prepare is not None:
            self.prepare(self.model)

    def step(self, images, labels):
        self.get_ready()
        loss = F.cross_entropy(self.model(images.to(device)), labels.to(device))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        return loss.item()


def accuracy(model, images, labels):
    model.eval()
    with torch.no_grad():
        guesses = torch.cat([model(part.to(device)).argmax(1).cpu() for part in images.split(1000)])
    return (guesses == labels).float().mean().item()

# %% nbgrader={"grade_id": "trouble", "locked": true}
torch.manual_seed(0)
plain = make_net()
trainer = Trainer(plain, EPOCHS * math.ceil(N_TRAIN / BATCH))
for _ in range(EPOCHS):
    for chosen in torch.randperm(N_TRAIN).split(BATCH):
        trainer.step(x[chosen], y[chosen])
plain_clean, plain_work = accuracy(plain, x_test, y_test), accuracy(plain, x_work, y_test)
print(ulab.say(
    zh=f"摆正的 {plain_clean:.3f}，到岗后 {plain_work:.3f}（你猜的是 {my_work_guess}）",
    en=f"centred {plain_clean:.3f}, at work {plain_work:.3f} (you guessed {my_work_guess})"))

# %% [markdown] lang="zh"
# 从八成三跌到三成多。卷积本身不怕平移，可是**头**给 7×7 的每个位置各配一套权重，它只见过摆在正中的衣服。这就是基线：**后面每个办法都要和这两个数比**。

# %% [markdown] lang="en"
# From more than eight in ten down to about a third. Convolutions don't mind a shift, but the **head** has weights of its own for each of the 7×7 places, and has only ever seen garments in the middle. This is the baseline: **everything below is compared with these two numbers**.

# %% [markdown] lang="zh"
# ## 1 平移和翻转（3 分）
#
# 增强的规矩：换个样子，**标签不能变**。左右翻转的鞋还是鞋；上下翻转的裤子，传送带上不会出现。
#
# **例子**：把一行 4 个像素 `[1, 2, 3, 4]` 右移 1 格。
#
# 1. *先补边*：两头各补 1 个 0，`[0, 1, 2, 3, 4, 0]`。
# 2. *再取窗口*：从第 `s` 个数起取 4 个。`s=1` 是原样；`s=0` 得 `[0, 1, 2, 3]`，内容**右移**了 1 格；`s=2` 得 `[2, 3, 4, 0]`，左移。
# 3. *每张图抽自己的 `s`*：补零 `shift` 格，`s` 从 0 到 `2·shift` 随机取，就是 ±shift 的平移。
#
# 下一格把这三步用在一张图上。注意 `torch.roll` 不行：挤出右边的像素会从左边冒出来。

# %% [markdown] lang="en"
# ## 1 Shift and mirror (3 points)
#
# The rule of augmentation: look different, **keep the label**. A mirrored shoe is a shoe; trousers upside down don't happen on the belt.
#
# **Example**: move the row `[1, 2, 3, 4]` one place to the right.
#
# 1. *Pad first*: one 0 at either end, `[0, 1, 2, 3, 4, 0]`.
# 2. *Then take a window*: 4 numbers from place `s`. `s=1` changes nothing; `s=0` gives `[0, 1, 2, 3]`, moved **right** by one; `s=2` gives `[2, 3, 4, 0]`, moved left.
# 3. *Each image draws its own `s`*: with `shift` zeros of padding and `s` from 0 to `2·shift`, that is a shift of ±shift.
#
# The next cell does the three steps to one image. `torch.roll` won't do: pixels pushed out at the right come back in at the left.

# %%
image = x[0]
padded = F.pad(image, (2, 2, 2, 2))
window = padded[:, 0 : 0 + 28, 4 : 4 + 28]
print(image.shape, padded.shape, window.shape)
figure, axes = plt.subplots(1, 3, figsize=(6, 2))
for axis, picture, title in zip(axes, (image, window, window.flip(2)), (
        ulab.say(zh="原图", en="original"), ulab.say(zh="下移 2、左移 2", en="down 2, left 2"), ulab.say(zh="再左右翻转", en="then mirrored"))):
    axis.imshow(picture[0], cmap="gray")
    axis.set_title(title, fontsize=9)
    axis.axis("off")
plt.show()

# %% [markdown] lang="zh"
# **任务 1。** 写 `shift_flip(images, generator, shift=2)`：`images` 的形状是 `(n, 1, h, w)`。每张图**各自**以一半的概率左右翻转，上下、左右各平移 −shift 到 shift 之间的整数个像素（每个值机会相等），空出来的地方补 0。返回形状和类型都相同的新张量，不改动传进来的。随机数全部从 `generator` 来，这样同一个种子就能重现。
#
# <details><summary>提示 1：概念</summary>要的是 n 次独立的抽签：n 个“翻不翻”，n 个“上下移多少”，n 个“左右移多少”。只抽一次，整批图就一起动了。</details>
# <details><summary>提示 2：位置</summary><code>torch.rand(n, generator=generator)</code> 小于 0.5 的翻转；<code>torch.randint(0, 2*shift+1, (n,), generator=generator)</code> 给出 n 个窗口起点；<code>F.pad(images, (shift,)*4)</code> 补边。</details>
# <details><summary>提示 3：样子</summary>最直白的写法：补边 → 抽三组数 → 对每张图取窗口、该翻的翻 → <code>torch.stack</code>。1000 张图循环一遍也只要几十毫秒。</details>

# %% [markdown] lang="en"
# **Task 1.** Write `shift_flip(images, generator, shift=2)`: `images` has shape `(n, 1, h, w)`. **Each** image is mirrored left to right with probability one half and moved by a whole number of pixels from −shift to shift, vertically and horizontally (each value equally likely); what becomes empty is 0. Return a new tensor of the same shape and type and don't change the one passed in. All random numbers come from `generator`, so that a seed repeats them.
#
# <details><summary>Hint 1: idea</summary>You need n independent draws: n of "mirror or not", n of "how far down", n of "how far right". With one draw the whole batch moves together.</details>
# <details><summary>Hint 2: place</summary>Mirror where <code>torch.rand(n, generator=generator)</code> is below 0.5; <code>torch.randint(0, 2*shift+1, (n,), generator=generator)</code> gives n starts of windows; <code>F.pad(images, (shift,)*4)</code> pads.</details>
# <details><summary>Hint 3: shape</summary>The plainest way: pad → three draws → for each image take its window and mirror it if drawn → <code>torch.stack</code>. Looping over 1,000 images takes some tens of milliseconds.</details>

# %% nbgrader={"grade_id": "shift-flip", "solution": true}
def shift_flip(images, generator, shift=2):
    n, _, height, width = images.shape
    padded = F.pad(images, (shift,) * 4)
    ### BEGIN SOLUTION
    mirror = torch.rand(n, generator=generator) < 0.5  # free choice: >= mirrors as many
    top = torch.randint(0, 2 * shift + 1, (n,), generator=generator)
    left = torch.randint(0, 2 * shift + 1, (n,), generator=generator)
    moved = []
    for image, flip, down, right in zip(padded, mirror.tolist(), top.tolist(), left.tolist()):
        window = image[:, down : down + height, right : right + width]
        moved.append(window.flip(2) if flip else window)
    return torch.stack(moved)
    ### END SOLUTION

# %% nbgrader={"grade_id": "shift-flip-test", "grade": true, "points": 3}
# zh: 在两个亮点的图上看出每张图翻没翻、挪了多少
# en: two bright dots on an image show whether it was mirrored and how far it moved
@ulab.at_student
def _shifted(images, seed, shift):
    # zh: 随机数生成器不能从外面递进来，就在这里做
    # en: the generator can't be handed over, so it is made here
    kept = images.clone()
    moved = shift_flip(images, torch.Generator().manual_seed(seed), shift)
    return moved, torch.equal(images, kept)


def _moves(n, shift, seed, height=28, width=28):
    dots = torch.zeros(n, 1, height, width)
    row, column = height // 2, width // 2 - 3
    dots[:, 0, row, column], dots[:, 0, row, column + 2] = 0.5, 1.0
    moved, untouched = _shifted(dots, seed, shift)
    assert isinstance(moved, torch.Tensor) and moved.shape == dots.shape and moved.dtype == dots.dtype, ulab.say(
        zh=f"应该返回形状 {tuple(dots.shape)}、类型相同的张量。", en=f"Return a tensor of shape {tuple(dots.shape)} and the same type.")
    assert untouched, ulab.say(
        zh="传进来的图片被改动了：下一轮训练拿到的就不是原图了。", en="The images passed in were changed: the next epoch would no longer get the originals.")
    assert torch.allclose(moved.sum((1, 2, 3)), torch.full((n,), 1.5)), ulab.say(
        zh="两个亮点应该原样留在图里：平移、翻转不改变像素的值。", en="Both dots should stay in the image as they were: moving and mirroring change no pixel's value.")
    full, half = (moved == 1.0).flatten(1).float().argmax(1), (moved == 0.5).flatten(1).float().argmax(1)
    apart = full % width - half % width
    assert not ((full // width - half // width) != 0).any() and (apart.abs() == 2).all(), ulab.say(
        zh="两个亮点不再左右相隔 2 格：只能平移和左右翻转，不能转或拉伸。",
        en="The dots are no longer two places apart in one row: only shifts and mirroring, no turning or stretching.")
    flipped = apart < 0
    home = torch.where(flipped, width - 1 - (column + 2), column + 2)
    return flipped, full // width - row, full % width - home


_high = torch.zeros(200, 1, 28, 28)
_high[:, :, 5] = 1
assert not _shifted(_high, 1, 2)[0][:, :, 14:].any(), ulab.say(
    zh="有的图上下颠倒了：要左右翻转，看看 flip 的是哪一维。", en="Some images are upside down: mirror left to right; which dimension does flip turn?")
_flipped, _down, _right = _moves(200, 2, seed=1)
assert 0 < _flipped.float().mean() < 1, ulab.say(
    zh="200 张图要么都翻了，要么都没翻：整批只抽了一次，还是忘了翻转？",
    en="All 200 images were mirrored, or none: one draw for the whole batch, or was mirroring forgotten?")
assert len(_down.unique()) > 1 and len(_right.unique()) > 1, ulab.say(
    zh="200 张图挪得一模一样：每张图要抽自己的平移。", en="All 200 images moved alike: each image draws its own shift.")
_filled = _shifted(torch.ones(50, 1, 28, 28), 2, 2)[0]
assert (_filled == 0).any(), ulab.say(
    zh="空出来的地方不是 0：像素从另一边绕回来了（torch.roll），还是重复了边缘？",
    en="What became empty is not 0: did pixels come back in at the other side (torch.roll), or was the edge repeated?")
### BEGIN HIDDEN TESTS
_flipped, _down, _right = _moves(2000, 2, seed=3)
assert 0.4 <= _flipped.float().mean() <= 0.6, ulab.say(
    zh="2000 张里翻转的应该约占一半。", en="About half of 2,000 images should be mirrored.")
for _move, _axis in ((_down, ulab.say(zh="上下", en="vertical")), (_right, ulab.say(zh="左右", en="horizontal"))):
    assert _move.abs().max() == 2, ulab.say(
        zh=f"shift=2 时{_axis}最多挪了 {_move.abs().max()} 格：起点是从 0 到 2·shift 吗？randint 的上界不算在内。",
        en=f"With shift=2 the largest {_axis} move was {_move.abs().max()}: do starts go from 0 to 2·shift? randint leaves out its upper end.")
    _share = torch.stack([(_move == k).float().mean() for k in range(-2, 3)])
    assert (_share - 0.2).abs().max() < 0.05, ulab.say(
        zh=f"{_axis}平移应当五个值机会相等。", en=f"All five {_axis} moves should be equally likely.")
# zh: 先平移再翻转时，左右的方向会反过来，所以两种方向都要看
# en: where mirroring follows the shift it turns left and right about, so both directions count
_table = torch.stack([_flipped.float(), _down.float(), _right.float(), torch.where(_flipped, -_right, _right).float()])
assert (torch.corrcoef(_table) - torch.eye(4)).abs().max() < 0.1, ulab.say(
    zh="翻转、上下、左右是同一次抽签的结果：要各抽各的。", en="Mirror, vertical and horizontal come from one draw: draw each by itself.")
assert not torch.equal(_flipped, _moves(2000, 2, seed=13)[0]), ulab.say(
    zh="换了种子，翻转的还是同样那些图：翻不翻也要用 generator 抽签。", en="Another seed mirrored the very same images: draw from generator which ones to mirror.")
_flipped, _down, _right = _moves(500, 5, seed=4, height=20, width=26)
assert _down.abs().max() == 5 and _right.abs().max() == 5, ulab.say(
    zh="参数 shift=5 时没有挪到 ±5：用到参数了吗？", en="With shift=5 nothing moved by ±5: is the argument used?")
_still = _moves(300, 0, seed=5)
assert not _still[1].any() and not _still[2].any() and 0.3 < _still[0].float().mean() < 0.7, ulab.say(
    zh="shift=0 时应该只翻转、不平移。", en="With shift=0 images should be mirrored but not moved.")
_x = torch.rand(40, 1, 28, 28, generator=torch.Generator().manual_seed(6))
_one, _two = (_shifted(_x, 7, 2)[0] for _ in range(2))
assert torch.equal(_one, _two), ulab.say(
    zh="同一个种子两次结果不同：还有随机数不是从 generator 来的。", en="One seed gave two results: some random number doesn't come from generator.")
assert not torch.equal(_one, _shifted(_x, 8, 2)[0]), ulab.say(
    zh="换了种子结果却一样：generator 用上了吗？", en="Another seed changed nothing: is generator used?")
_edge = torch.zeros(200, 1, 28, 28)
_edge[:, :, 0, :] = 1
assert not _shifted(_edge, 9, 2)[0][:, :, 20:].any(), ulab.say(
    zh="顶上的亮边跑到底部去了：像素绕回来了。", en="A bright top edge turned up at the bottom: pixels wrapped around.")
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# 现实中人们用 `torchvision.transforms.v2`。它有一个坑：把**整批**图交给它，它只抽**一次**签。下一格一眼就能看出来。（正确用法是在 `Dataset` 里一张一张变换，或者像你这样自己抽 n 次。）

# %% [markdown] lang="en"
# In practice people use `torchvision.transforms.v2`. It has a trap: handed a **whole batch**, it draws **once**. The next cell shows it at a glance. (Transform image by image in a `Dataset`, or draw n times as you did.)

# %%
same = x[:1].repeat(10, 1, 1, 1)
torch.manual_seed(3)
rows = {
    "v2": v2.Compose([v2.RandomHorizontalFlip(), v2.RandomAffine(0, translate=(0.18, 0.18))])(same),
    "shift_flip": shift_flip(same, torch.Generator().manual_seed(0), 5),
}
figure, axes = plt.subplots(2, 10, figsize=(10, 2.4))
for row, (name, pictures) in zip(axes, rows.items()):
    for axis, picture in zip(row, pictures):
        axis.imshow(picture[0], cmap="gray")
        axis.set_xticks([])
        axis.set_yticks([])
    row[0].set_ylabel(name)
figure.suptitle(ulab.say(zh="同一张图复制 10 份，整批交给两种做法", en="one image ten times over, handed to both as a batch"), fontsize=9)
plt.show()

# %% [markdown] lang="zh"
# ## 2 只增强训练集（3 分）
#
# 验证集要回答“到岗后会怎样”，所以它必须**原封不动**。还有一条：每一轮、每一批都要**重新**增强。只在开头增强一次，网络看到的仍是同样的 1000 张图。
#
# 三种写法里哪一种对？先自己选，再往下写。
#
# ```
# a  x = shift_flip(x, generator)；再切成训练和验证；训练 30 轮
# b  先切开；训练部分增强一次；训练 30 轮
# c  先切开；每取一批，就把这一批增强一次再走一步
# ```
#
# **任务 2。** 补全 `holdout_run(model, x, y, n_train, augment, epochs, generator)`：前 `n_train` 张训练，其余验证。每一轮用 `generator` 打乱训练图的顺序，分成 `BATCH` 张一批，每批经过 `augment(images, generator)` 后交给 `trainer.step(images, labels)`；最后返回**没有增强过**的验证图上的准确率。
#
# <details><summary>提示 1：概念</summary>答案是 c。增强属于“取一批”这个动作，不属于数据。</details>
# <details><summary>提示 2：位置</summary>打乱用 <code>torch.randperm(n_train, generator=generator)</code>，分批用 <code>.split(BATCH)</code>；“先量出问题”那一格里有一个几乎一样的循环。</details>
# <details><summary>提示 3：样子</summary>两层 <code>for</code>，里面一行 <code>trainer.step(...)</code>；循环外一行 <code>return accuracy(...)</code>，图片从第 <code>n_train</code> 张起。</details>

# %% [markdown] lang="en"
# ## 2 Augment training data alone (3 points)
#
# The validation set answers "how will it be at work", so it must stay **untouched**. And each batch of each epoch is augmented **anew**: augmented once at the start, the network still sees the same 1,000 images.
#
# Which of these is right? Choose before you write.
#
# ```
# a  x = shift_flip(x, generator); then split; train 30 epochs
# b  split; augment the training part once; train 30 epochs
# c  split; whenever a batch is taken, augment it and take a step
# ```
#
# **Task 2.** Complete `holdout_run(model, x, y, n_train, augment, epochs, generator)`: the first `n_train` images train, the rest validate. Each epoch shuffles the training images by `generator` and takes them `BATCH` at a time; each batch goes through `augment(images, generator)` to `trainer.step(images, labels)`. Return the accuracy on the validation images, **not augmented**.
#
# <details><summary>Hint 1: idea</summary>It is c. Augmenting belongs to taking a batch, not to the data.</details>
# <details><summary>Hint 2: place</summary>Shuffle by <code>torch.randperm(n_train, generator=generator)</code>, take batches by <code>.split(BATCH)</code>; a loop almost like it stands in the cell of "First, measure the trouble".</details>
# <details><summary>Hint 3: shape</summary>Two <code>for</code> loops with one line <code>trainer.step(...)</code> inside; after them <code>return accuracy(...)</code>, with images from <code>n_train</code> on.</details>

# %% nbgrader={"grade_id": "holdout-run", "solution": true}
def holdout_run(model, x, y, n_train, augment, epochs, generator):
    trainer = Trainer(model, steps=epochs * math.ceil(n_train / BATCH))
    ### BEGIN SOLUTION
    for _ in range(epochs):
        for chosen in torch.randperm(n_train, generator=generator).split(BATCH):
            trainer.step(augment(x[chosen], generator), y[chosen])
    return accuracy(model, x[n_train:], y[n_train:])
    ### END SOLUTION

# %% nbgrader={"grade_id": "holdout-run-test", "grade": true, "points": 3}
# zh: 每张图的角上写着自己的编号，一个“记录员”记下增强和训练各看到了哪些编号
# en: each image has its number written into a corner, and a recorder notes which numbers augmentation and training saw
@ulab.at_student
def _recorded(n, n_train, epochs, seed):
    class Recorder(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, images):
            if not self.training:
                scored.append((images[:, 0, 0, 0].tolist(), images[:, 0, 0, 1].tolist()))
            number = images[:, 0, 0, 0].long()
            if sum(len(batch) for batch, _, _ in trained) < epochs * n_train:
                return F.one_hot(number % 3, 3).float() * self.scale
            # zh: 训练完以后只认得能被 5 整除的编号
            # en: once trained it knows only numbers that 5 divides
            return F.one_hot((number + (number % 5 > 0)) % 3, 3).float() * self.scale

    def augment(images, used):
        augmented.append(images[:, 0, 0, 0].tolist())
        same_generator.append(used is generator)
        images = images.clone()
        images[:, 0, 0, 1] += 1
        return images

    def step(self, images, labels):
        trained.append((images[:, 0, 0, 0].tolist(), images[:, 0, 0, 1].tolist(), labels.tolist()))

    augmented, same_generator, trained, scored = [], [], [], []
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.arange(n)
    images = torch.zeros(n, 1, 4, 4)
    images[:, 0, 0, 0] = numbers.float()
    original, Trainer.step = Trainer.step, step
    try:
        result = holdout_run(Recorder(), images, numbers % 3, n_train, augment, epochs, generator)
    finally:
        Trainer.step = original
    return result, augmented, all(same_generator), trained, scored, images[:, 0, 0, 1].abs().sum().item()


def _check_run(n, n_train, epochs, seed):
    result, augmented, same, trained, scored, touched = _recorded(n, n_train, epochs, seed)
    seen = [int(k) for batch in augmented for k in batch]
    assert seen, ulab.say(zh="augment 一次也没被调用。", en="augment was never called.")
    assert max(seen) < n_train, ulab.say(
        zh="augment 看到了验证图片：先切开，只增强训练的那一部分。", en="augment saw validation images: split first, and augment the training part alone.")
    assert trained, ulab.say(zh="没有走训练步：每一批都要交给 trainer.step。", en="No training step was taken: hand each batch to trainer.step.")
    numbers = [int(k) for batch, _, _ in trained for k in batch]
    marks = [m for _, batch, _ in trained for m in batch]
    assert max(numbers) < n_train, ulab.say(
        zh="验证图片也被拿去训练了。", en="Validation images were trained on.")
    assert all(m >= 1 for m in marks), ulab.say(
        zh="交给 trainer.step 的图片没有经过 augment：用的是它的返回值吗？", en="Images reached trainer.step without augment: is its return value used?")
    assert len(seen) > n_train or epochs == 1, ulab.say(
        zh=f"训练 {epochs} 轮，却只增强了一次：每一轮看到的都是同样的图。把增强放到循环里面。",
        en=f"{epochs} epochs but one augmentation: every epoch sees the same images. Put it inside the loop.")
    assert all(m == 1 for m in marks), ulab.say(
        zh="有的图片被增强了不止一次，越挪越远。每一批都从原图开始。", en="Some images were augmented more than once and drift away. Each batch starts from the originals.")
    assert all(int(k) % 3 == label for batch, _, labels in trained for k, label in zip(batch, labels)), ulab.say(
        zh="图片和标签对不上了：两边要用同一组下标。", en="Images and labels no longer match: use one set of indices for both.")
    per_epoch = [numbers[e * n_train : (e + 1) * n_train] for e in range(epochs)]
    assert len(numbers) == epochs * n_train and all(sorted(e) == list(range(n_train)) for e in per_epoch), ulab.say(
        zh=f"每一轮应当把 {n_train} 张训练图各用一次，共 {epochs} 轮。", en=f"Each of {epochs} epochs should use each of the {n_train} training images once.")
    assert max(len(batch) for batch, _, _ in trained) == min(64, n_train), ulab.say(
        zh="每批应当是 BATCH 张。", en="A batch should have BATCH images.")
    assert per_epoch[0] != sorted(per_epoch[0]) and (epochs == 1 or per_epoch[0] != per_epoch[1]), ulab.say(
        zh="每一轮都要重新打乱顺序。", en="Shuffle anew in each epoch.")
    assert touched == 0, ulab.say(zh="传进来的 x 被改动了。", en="The x passed in was changed.")
    assert scored and not any(m for _, batch in scored for m in batch), ulab.say(
        zh="验证的图片被增强过了：验证要用原图。", en="Validation images were augmented: validate on the originals.")
    want = float(np.mean([k % 5 == 0 for k in range(n_train, n)]))
    assert epochs == 1 or not isinstance(result, float) or result < 1, ulab.say(
        zh="返回的是中途某一轮的准确率：要的是训练完以后的，挑最好的一轮会高估。",
        en="What came back is an epoch's accuracy on the way: return the one after training; choosing the best epoch overrates the network.")
    assert isinstance(result, float) and abs(result - want) < 1e-6, ulab.say(
        zh="返回的不是验证图片（第 n_train 张起）上的准确率。", en="What came back is not the accuracy on the validation images (from n_train on).")
    return numbers, same


_check_run(190, 150, 2, seed=1)
### BEGIN HIDDEN TESTS
_check_run(41, 33, 3, seed=2)
_one, _same = _check_run(102, 90, 1, seed=3)
assert _same, ulab.say(zh="augment 拿到的不是传进来的 generator。", en="augment did not get the generator that was passed in.")
assert _check_run(102, 90, 1, seed=3)[0] == _one and _check_run(102, 90, 1, seed=4)[0] != _one, ulab.say(
    zh="打乱顺序要用传进来的 generator：同一个种子顺序相同，换了种子就不同。",
    en="Shuffle by the generator passed in: one seed gives one order, another seed another.")
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# ## 实验一：增强值多少
#
# 三种做法：不增强、±2 像素、±5 像素，后两种都带左右翻转。每种用几个随机种子各训练一遍：种子决定初始权重、顺序和增强，**只看一次的结果分不清是本事还是运气**。
#
# **先猜再运行**：在**摆正的**测试图上，哪种最好？在**到岗后的**图上呢？

# %% [markdown] lang="en"
# ## Experiment one: what augmentation is worth
#
# Three recipes: none, ±2 pixels, ±5 pixels, the latter two with mirroring. Each is trained with several random seeds; a seed sets initial weights, order and augmentation. **From one run you can't tell skill from luck.**
#
# **Guess before you run**: which is best on **centred** test images? And **at work**?

# %%
my_recipe_guess = {"centred": "?", "at work": "?"}

# %% nbgrader={"grade_id": "experiment-one", "locked": true}
recipes = {
    "none": lambda images, generator: images,
    "shift 2": lambda images, generator: shift_flip(images, generator, 2),
    "shift 5": lambda images, generator: shift_flip(images, generator, 5),
}
n_train = 200 if ulab.grading() else N_TRAIN
valid, clean, work = {}, {}, {}
for recipe, augment_by in recipes.items():
    valid[recipe], clean[recipe], work[recipe] = [], [], []
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        trained_model = make_net()
        valid[recipe].append(holdout_run(trained_model, x[: n_train + 500], y[: n_train + 500], n_train, augment_by, EPOCHS, torch.Generator().manual_seed(seed)))
        clean[recipe].append(accuracy(trained_model, x_test, y_test))
        work[recipe].append(accuracy(trained_model, x_work, y_test))
    print(f"{recipe:8}", ulab.say(zh="摆正", en="centred"), np.round(clean[recipe], 3),
          ulab.say(zh="到岗", en="at work"), np.round(work[recipe], 3))

# %% [markdown] lang="zh"
# 我们用 5 个种子量到的平均值（你的相差 0.02 以内都正常）：
#
# | 增强 | 摆正的 | 到岗后 |
# | --- | --- | --- |
# | 不增强 | 0.831 | 0.341 |
# | ±2 和翻转 | 0.829 | 0.562 |
# | ±5 和翻转 | 0.783 | 0.756 |
#
# 在摆正的图上，增强**没有帮上忙**，±5 还明显更差；在到岗后的图上，成败几乎全看它。**增强不会凭空让模型变聪明，它只是告诉模型：哪些变化不要紧。** 这些变化到岗后真的会出现，它才值。

# %% [markdown] lang="en"
# The means we measured with 5 seeds (yours may differ by up to 0.02):
#
# | augmentation | centred | at work |
# | --- | --- | --- |
# | none | 0.831 | 0.341 |
# | ±2 and mirror | 0.829 | 0.562 |
# | ±5 and mirror | 0.783 | 0.756 |
#
# On centred images augmentation **did not help**, and ±5 is clearly worse; at work nearly everything hangs on it. **Augmentation makes no model wiser by itself: it tells the model which changes don't matter.** It pays if these changes do happen at work.

# %% [markdown] lang="zh"
# ## 3 怎样比较才公平（3 分）
#
# “不增强 0.831，±2 是 0.829，所以不增强更好”，对吗？要看**起伏**。
#
# **例子**：一种做法三个种子得 0.80、0.82、0.84。
#
# 1. *均值*：0.82。
# 2. *标准差*：除以 $n-1$，$s=0.02$（`ddof=1`）。
# 3. *均值的误差*：$s/\sqrt n = 0.0115$。种子越多，均值越准。
# 4. *放大倍数*：只有 3 个数，$s$ 本身也估不准，要用 $t$ 分布：自由度 $n-1=2$ 时是 4.30，不是 1.96。
# 5. *95% 置信区间*：$0.82 \pm 4.30\times0.0115$，即 0.770 到 0.870。
#
# 两个区间**不重叠**，才说有明显差别；重叠或刚好碰到，就说 `"no clear difference"`。（这条规矩偏谨慎：有些真差别会漏掉，但很少冤枉人。）它不是说“一样好”，而是说“这几次实验分不出来”。

# %% [markdown] lang="en"
# ## 3 Comparing fairly (3 points)
#
# "None has 0.831, ±2 has 0.829, so none is better." Is it? Look at the **spread**.
#
# **Example**: a recipe has 0.80, 0.82, 0.84 from three seeds.
#
# 1. *Mean*: 0.82.
# 2. *Standard deviation*: dividing by $n-1$, $s=0.02$ (`ddof=1`).
# 3. *Error of the mean*: $s/\sqrt n = 0.0115$. More seeds, a better mean.
# 4. *How many of them*: from 3 numbers $s$ itself is uncertain, hence the $t$ distribution: 4.30 with $n-1=2$ degrees of freedom, not 1.96.
# 5. *95 % confidence interval*: $0.82 \pm 4.30\times0.0115$, from 0.770 to 0.870.
#
# Only when two intervals **don't overlap** do we speak of a clear difference; when they overlap or touch we say `"no clear difference"`. (A cautious rule: it misses some real differences, and rarely accuses wrongly.) It doesn't mean "equally good" but "these runs can't tell".

# %% [markdown] lang="zh"
# **任务 3。** 写两个函数：
#
# * `interval(scores)`：返回 95% 置信区间的 `(下界, 上界)`；少于 3 个数时 `raise ValueError(...)`，因为没法谈起伏；
# * `verdict(first, second)`：两组准确率，返回 `"first"`（第一组明显更好）、`"second"` 或 `"no clear difference"`。
#
# <details><summary>提示 1：概念</summary>先把一组数变成一个区间，再只比较区间的端点。最好的那一次不该出现在任何地方。</details>
# <details><summary>提示 2：位置</summary><code>stats.t.ppf(0.975, n - 1)</code> 给出放大倍数（两边各留 2.5%）；<code>np.std(scores, ddof=1)</code>。</details>
# <details><summary>提示 3：样子</summary><code>verdict</code> 三行：第一组的下界高于第二组的上界 → "first"；反过来 → "second"；其余 → "no clear difference"。</details>

# %% [markdown] lang="en"
# **Task 3.** Write two functions:
#
# * `interval(scores)`: returns `(low, high)` of the 95 % confidence interval; with fewer than 3 numbers `raise ValueError(...)`, for there is no spread to speak of;
# * `verdict(first, second)`: two lists of accuracies; returns `"first"` (the first is clearly better), `"second"` or `"no clear difference"`.
#
# <details><summary>Hint 1: idea</summary>Turn each list into an interval first, then compare ends of intervals and nothing else. The best run has no place anywhere.</details>
# <details><summary>Hint 2: place</summary><code>stats.t.ppf(0.975, n - 1)</code> is the factor (2.5 % left out at either side); <code>np.std(scores, ddof=1)</code>.</details>
# <details><summary>Hint 3: shape</summary><code>verdict</code> takes three lines: the first's low end above the second's high end → "first"; the other way round → "second"; anything else → "no clear difference".</details>

# %% nbgrader={"grade_id": "compare", "solution": true}
def interval(scores):
    ### BEGIN SOLUTION
    n = len(scores)
    if n < 3:
        raise ValueError(ulab.say(zh="至少要 3 个种子。", en="At least 3 seeds are needed."))
    half = stats.t.ppf(0.975, n - 1) * np.std(scores, ddof=1) / np.sqrt(n)
    return np.mean(scores) - half, np.mean(scores) + half


def verdict(first, second):
    (low_first, high_first), (low_second, high_second) = interval(first), interval(second)
    if low_first > high_second:
        return "first"
    if low_second > high_first:
        return "second"
    return "no clear difference"
    ### END SOLUTION


# zh: 接着写 verdict(first, second)
# en: Now write verdict(first, second)

# %% nbgrader={"grade_id": "compare-test", "grade": true, "points": 3}
def _check_interval(scores):
    got = interval(scores)
    assert len(got) == 2 and got[0] <= got[1], ulab.say(
        zh="应返回 (下界, 上界)。", en="Return (low, high).")
    n, mean, s = len(scores), float(np.mean(scores)), float(np.std(scores, ddof=1))
    half, middle = (float(got[1]) - float(got[0])) / 2, (float(got[0]) + float(got[1])) / 2
    factor = float(stats.t.ppf(0.975, n - 1))
    assert abs(middle - mean) < 1e-9, ulab.say(
        zh="区间的正中应当是均值，不是最好的那一次。", en="The middle of the interval is the mean, not the best run.")
    for wrong, message in (
            (factor * s, ulab.say(zh="没有除以 √n：这是单次结果的起伏，不是均值的误差。", en="Not divided by √n: that is the spread of single runs, not the mean's error.")),
            (factor * float(np.std(scores)) / n**0.5, ulab.say(zh="标准差除以了 n：用 ddof=1。", en="The standard deviation was divided by n: use ddof=1.")),
            (1.96 * s / n**0.5, ulab.say(zh="放大倍数用了 1.96：次数很少时要用 t 分布。", en="The factor is 1.96: with few runs use the t distribution.")),
            (s / n**0.5, ulab.say(zh="少了放大倍数：这是一个标准误，不是 95% 区间。", en="The factor is missing: this is one standard error, not a 95 % interval.")),
            (float(stats.t.ppf(0.95, n - 1)) * s / n**0.5, ulab.say(zh="每边应当只留 2.5%：用 0.975，不是 0.95。", en="Leave 2.5 % at either side: 0.975, not 0.95.")),
            (float(stats.t.ppf(0.975, n)) * s / n**0.5, ulab.say(zh="自由度是 n − 1。", en="There are n − 1 degrees of freedom."))):
        assert abs(half - wrong) > 1e-9, message
    assert abs(half - factor * s / n**0.5) < 1e-9, ulab.say(
        zh=f"{scores} 的区间半宽应为 {factor * s / n**0.5:.4f}，得到 {half:.4f}。",
        en=f"Half the width for {scores} is {factor * s / n**0.5:.4f}, got {half:.4f}.")


_check_interval([0.80, 0.82, 0.84])
assert verdict([0.90, 0.91, 0.92], [0.70, 0.71, 0.72]) == "first", ulab.say(
    zh="0.91 左右和 0.71 左右，起伏都很小：第一组明显更好。", en="About 0.91 and about 0.71 with little spread: the first is clearly better.")
assert verdict([0.80, 0.84, 0.88], [0.79, 0.83, 0.91]) == "no clear difference", ulab.say(
    zh="两个区间几乎重合，应当说看不出差别；不要比最好的一次，也不要只比均值。",
    en="The intervals nearly coincide: no clear difference. Compare neither the best runs nor the means alone.")
### BEGIN HIDDEN TESTS
def _refused(scores):
    try:
        interval(scores)
    except ValueError:
        return True
    return False


for _scores in ([0.7, 0.9, 0.75, 0.8], [0.31, 0.35, 0.36, 0.30, 0.33, 0.34]):
    _check_interval(_scores)
_check_interval(list(np.random.default_rng(1).uniform(0.5, 0.9, 12)))
assert _refused([0.8, 0.9]) and _refused([0.8]), ulab.say(
    zh="只有一两个数时应当 raise ValueError：没有起伏就没有结论。", en="With one or two numbers raise ValueError: without a spread there is no conclusion.")
assert not _refused([0.8, 0.8, 0.9]), ulab.say(zh="3 个数就够了。", en="3 numbers are enough.")
assert verdict([0.70, 0.71, 0.72], [0.90, 0.91, 0.92]) == "second", ulab.say(
    zh="第二组明显更好时应返回 \"second\"。", en="Where the second is clearly better return \"second\".")
assert verdict([0.75, 0.75, 0.75], [0.75, 0.75, 0.75]) == "no clear difference", ulab.say(
    zh="两个区间刚好碰到也算看不出差别。", en="Intervals that only touch are no clear difference either.")
assert verdict([0.90, 0.91, 0.92], [0.2, 0.86, 0.93]) == "no clear difference", ulab.say(
    zh="第二组起伏很大，分不出来：两组都要用自己的区间。", en="The second spreads widely and can't be told apart: each list has its own interval.")
assert verdict([0.2, 0.86, 0.93], [0.90, 0.91, 0.92]) == "no clear difference", ulab.say(
    zh="第一组起伏很大，分不出来：两组都要用自己的区间。", en="The first spreads widely and can't be told apart: each list has its own interval.")
### END HIDDEN TESTS

# %%
def show(scores, title):
    names = list(scores)
    plt.figure(figsize=(6.4, 0.5 * len(names) + 1.2))
    for row, name in enumerate(names):
        low, high = interval(scores[name])
        plt.plot([low, high], [row, row], color="tab:blue")
        plt.plot(scores[name], [row] * len(scores[name]), "o", color="tab:orange", alpha=0.7)
    plt.yticks(range(len(names)), names)
    plt.ylim(-0.5, len(names) - 0.5)
    plt.xlabel(ulab.say(zh="准确率（点：各次；线：均值的 95% 置信区间）", en="accuracy (dots: runs; lines: 95 % interval of the mean)"))
    plt.title(title, fontsize=10)
    plt.show()


show(clean, ulab.say(zh="摆正的测试图", en="centred test images"))
show(work, ulab.say(zh="到岗后的测试图", en="test images at work"))
for pair in (("shift 2", "none"), ("shift 5", "none"), ("shift 5", "shift 2")):
    print(pair, ulab.say(zh="摆正：", en="centred:"), verdict(clean[pair[0]], clean[pair[1]]),
          "|", ulab.say(zh="到岗：", en="at work:"), verdict(work[pair[0]], work[pair[1]]))

# %% [markdown] lang="zh"
# **一个陷阱。** 看看 `valid`：验证图也是摆正的，照它来选，你会选“不增强”，到岗后就掉到三成多。**验证集要像岗位上的数据**。所以第 6 题选做法时，另做一份**固定的**模拟验证集：它只生成一次，对所有做法都一样，和“训练时每批随机增强”是两回事。

# %% [markdown] lang="en"
# **A trap.** Look at `valid`: the validation images are centred too. Going by them you would choose "none", and drop to about a third at work. **A validation set must look like the work.** So for task 6 make a **fixed** imitation of it: made once and the same for every recipe, which is another thing than augmenting each training batch at random.

# %%
x_valid_work = at_work(x[N_TRAIN:], seed=6)
print({name: round(float(np.mean(scores)), 3) for name, scores in valid.items()}, x_valid_work.shape)

# %% [markdown] lang="zh"
# ## 4 迁移：换一个头（2 分）
#
# 仓库来了新任务：三种鞋（凉鞋、运动鞋、短靴），每种只标了 20 张。手里有一个在另外 7 类（上衣、裤子、包……）上训练好的网络。它没见过鞋，可是主体也许已经会看边缘和纹理。
#
# 先训练这个“别人的网络”。

# %% [markdown] lang="en"
# ## 4 Transfer: a new head (2 points)
#
# The warehouse has a new task: three kinds of shoes (sandal, sneaker, ankle boot) with 20 labels each. At hand is a network trained on the 7 other classes (tops, trousers, bags …). It has never seen a shoe, but its body may know edges and textures.
#
# First, train this "network of someone else".

# %% nbgrader={"grade_id": "pretrain", "locked": true}
SHOES = [5, 7, 9]
OTHERS = [k for k in range(10) if k not in SHOES]


def only(images, labels, classes, most=None):
    # zh: 只留这些类，标签改成 0、1、2……
    # en: keep these classes, renumber labels 0, 1, 2 …
    rows = np.flatnonzero(np.isin(labels, classes))[:most]
    return as_tensors(images[rows], np.searchsorted(classes, labels[rows]))


x_others, y_others = only(data.train_images[1500:], data.train_labels[1500:], OTHERS, 500 if ulab.grading() else 6000)
x_shoes, y_shoes = only(data.train_images[20_000:25_000], data.train_labels[20_000:25_000], SHOES)
x_shoes_test, y_shoes_test = only(data.test_images, data.test_labels, SHOES, 300 if ulab.grading() else 3000)

torch.manual_seed(0)
pretrained = make_net(classes=len(OTHERS))
_epochs = 1 if ulab.grading() else 5
pretraining = Trainer(pretrained, _epochs * math.ceil(len(x_others) / BATCH))
for _ in range(_epochs):
    for chosen in torch.randperm(len(x_others)).split(BATCH):
        pretraining.step(x_others[chosen], y_others[chosen])
others_accuracy = accuracy(pretrained, *only(data.test_images, data.test_labels, OTHERS, TEST_SIZE // 2))
print(ulab.say(zh=f"在 7 类上的准确率 {others_accuracy:.3f}", en=f"Accuracy on the 7 classes {others_accuracy:.3f}"))
for part_name, part in (("body", pretrained.body), ("head", pretrained.head)):
    print(part_name, sum(p.numel() for p in part.parameters()), ulab.say(zh="个参数", en="parameters"))

# %% [markdown] lang="zh"
# **任务 4。** 写 `new_head(model, classes)`：返回一个**新的**网络，主体的权重和 `model` 相同，头换成 `classes` 个输出的线性层。原来的 `model` 不能受影响，以后训练新网络时也不能。
#
# <details><summary>提示 1：概念</summary>在 Python 里 <code>new = model</code> 没有复制任何东西：两个名字，一个网络。</details>
# <details><summary>提示 2：位置</summary><code>copy.deepcopy</code> 复制整个网络；<code>model.head.in_features</code> 是头的输入个数。</details>
# <details><summary>提示 3：样子</summary>三行：复制；给复制品的 <code>head</code> 赋一个新的 <code>nn.Linear</code>（放到 <code>device</code> 上）；返回。</details>

# %% [markdown] lang="en"
# **Task 4.** Write `new_head(model, classes)`: return a **new** network whose body has the weights of `model` and whose head is a linear layer with `classes` outputs. `model` itself stays as it was, also when the new network is trained later.
#
# <details><summary>Hint 1: idea</summary>In Python <code>new = model</code> copies nothing: two names, one network.</details>
# <details><summary>Hint 2: place</summary><code>copy.deepcopy</code> copies a whole network; <code>model.head.in_features</code> is the number of the head's inputs.</details>
# <details><summary>Hint 3: shape</summary>Three lines: copy; give the copy's <code>head</code> a new <code>nn.Linear</code> (on <code>device</code>); return.</details>

# %% nbgrader={"grade_id": "new-head", "solution": true}
def new_head(model, classes):
    ### BEGIN SOLUTION
    changed = copy.deepcopy(model)
    changed.head = nn.Linear(model.head.in_features, classes).to(device)
    return changed
    ### END SOLUTION

# %% nbgrader={"grade_id": "new-head-test", "grade": true, "points": 2}
@ulab.at_student
def _heads(classes, channels):
    torch.manual_seed(4)
    model = make_net(7, channels)
    model.body[1].running_mean += 0.3
    before = {name: value.clone() for name, value in model.state_dict().items()}
    made = new_head(model, classes)
    got = {
        "network": isinstance(made, nn.Module) and hasattr(made, "body") and hasattr(made, "head"),
        "one": made is model,
        "linear": isinstance(getattr(made, "head", None), nn.Linear),
    }
    if not got["network"] or not got["linear"]:
        return got
    # zh: 原来的网络现在变没变；训练新网络以后，它又变没变
    # en: is the old network as before; and still so when the new one is trained
    got["old_head"] = model.head.out_features
    body = {name: value for name, value in before.items() if name.startswith("body.")}
    new = made.state_dict()
    got["same_body"] = all(name in new and torch.equal(value, new[name]) for name, value in body.items())
    images = torch.rand(6, 1, 28, 28)
    got["shape"] = tuple(made(images.to(device)).shape)
    got["old_head_weights"] = bool((made.head.weight.shape == before["head.weight"].shape) and torch.equal(made.head.weight, before["head.weight"]))
    Trainer(made, 3).step(images, torch.arange(6) % classes)
    got["untouched"] = all(torch.equal(value, model.state_dict()[name]) for name, value in before.items() if name in model.state_dict())
    return got


def _check_head(classes, channels):
    got = _heads(classes, channels)
    assert got["network"], ulab.say(
        zh="应返回一个有 body 和 head 的网络。", en="Return a network with a body and a head.")
    assert got["linear"], ulab.say(
        zh="新的头应当只是一个 nn.Linear，换掉旧的，不是接在旧的后面。", en="The new head is one nn.Linear in the old one's place, not one behind it.")
    assert not got["one"], ulab.say(
        zh="返回的就是原来的网络：先复制，再换头。", en="The network passed in came back: copy first, then replace the head.")
    assert got["shape"] == (6, classes), ulab.say(
        zh=f"6 张图、{classes} 类应得到形状 (6, {classes}) 的得分，得到 {got['shape']}。", en=f"6 images and {classes} classes give scores of shape (6, {classes}), got {got['shape']}.")
    assert got["same_body"], ulab.say(
        zh="主体的权重（或 BatchNorm 的统计量）和原来不同：是不是用 make_net 重新建了一个？那样学到的东西就丢了。",
        en="The body's weights (or BatchNorm's statistics) differ from the original: was it made anew by make_net? What was learnt is lost then.")
    assert got["old_head"] == 7, ulab.say(
        zh="原来的网络的头也被换掉了。", en="The original network lost its head too.")
    assert got["untouched"], ulab.say(
        zh="训练新网络时，原来的网络也跟着变了：两个网络共用同一个主体。用 copy.deepcopy。",
        en="Training the new network changed the original: they share one body. Use copy.deepcopy.")


_check_head(3, 12)
### BEGIN HIDDEN TESTS
_check_head(5, 4)
_check_head(2, 8)
assert not _heads(7, 6)["old_head_weights"], ulab.say(
    zh="类别个数碰巧相同时，头还是旧的：它认的是别的类，必须换新的。", en="With the same number of classes the head is the old one: it knows other classes and must be new.")
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# ## 5 冻结主体（3 分）
#
# “冻结”是说训练时主体一点不变，只学头。**先猜**：把主体所有参数的 `requires_grad` 设为 `False`，够不够？
#
# 不够。`BatchNorm` 的滑动统计量**不是参数**，没有梯度也照样变：只要处于训练模式，每走一步就更新一次。下一格演示：

# %% [markdown] lang="en"
# ## 5 Freezing the body (3 points)
#
# "Frozen" means that training leaves the body exactly as it is and learns the head alone. **Guess**: is it enough to set `requires_grad` of all the body's parameters to `False`?
#
# It isn't. `BatchNorm`'s running statistics are **no parameters** and move without any gradient: in training mode each step updates them. The next cell shows it:

# %%
layer = nn.BatchNorm2d(1)
for parameter in layer.parameters():
    parameter.requires_grad_(False)
for mode in (True, False):
    layer.train(mode)
    before = layer.running_mean.item()
    layer(torch.full((8, 1, 4, 4), 5.0))
    print(f"training={layer.training}: running_mean {before:.2f} -> {layer.running_mean.item():.2f}")

# %% [markdown] lang="zh"
# **任务 5。** 写 `freeze(model)`：直接改 `model`，使得之后的训练步**完全不改变** `model.body`，而 `model.head` 照常学习。`Trainer(model, steps, prepare=freeze)` 会在开始时、以及每次 `model.train()` 之后调用它。
#
# <details><summary>提示 1：概念</summary>两件事：参数不要梯度；BatchNorm 处于评估模式。</details>
# <details><summary>提示 2：位置</summary>只动 <code>model.body</code>。<code>model.eval()</code> 会把头也切过去，头里若有 Dropout 就失效了。</details>
# <details><summary>提示 3：样子</summary>一个循环，把 <code>model.body.parameters()</code> 逐个 <code>requires_grad_(False)</code>；再加一行 <code>.eval()</code>。</details>

# %% [markdown] lang="en"
# **Task 5.** Write `freeze(model)`: change `model` so that later training steps leave `model.body` **exactly as it is**, while `model.head` learns as usual. `Trainer(model, steps, prepare=freeze)` calls it at the start and after each `model.train()`.
#
# <details><summary>Hint 1: idea</summary>Two things: parameters want no gradient; BatchNorm is in evaluation mode.</details>
# <details><summary>Hint 2: place</summary>Touch <code>model.body</code> alone. <code>model.eval()</code> would switch the head too, and dropout there would do nothing.</details>
# <details><summary>Hint 3: shape</summary>One loop over <code>model.body.parameters()</code> with <code>requires_grad_(False)</code>, and one line with <code>.eval()</code>.</details>

# %% nbgrader={"grade_id": "freeze", "solution": true}
def freeze(model):
    ### BEGIN SOLUTION
    for parameter in model.body.parameters():
        parameter.requires_grad_(False)
    model.body.eval()
    ### END SOLUTION

# %% nbgrader={"grade_id": "freeze-test", "grade": true, "points": 3}
@ulab.at_student
def _frozen(steps, dropout):
    torch.manual_seed(6)
    model = make_net(3, 4)
    if dropout:
        model.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(8 * 49, 3)).to(device)
    freeze(model)
    wanted = [p.requires_grad for p in model.body.parameters()], [p.requires_grad for p in model.head.parameters()]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    if not any(p.requires_grad for p in model.parameters()):
        return wanted, [], False, True
    trainer = Trainer(model, steps, prepare=freeze)
    for _ in range(steps):
        trainer.step(torch.rand(12, 1, 28, 28) * 3, torch.arange(12) % 3)
    changed = [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])]
    return wanted, changed, model.training, model.head.training


def _check_frozen(steps, dropout):
    (body, head), changed, _, head_trains = _frozen(steps, dropout)
    assert any(head), ulab.say(
        zh="头也被冻住了：没有任何参数可学。只动 model.body。", en="The head is frozen too: nothing is left to learn. Touch model.body alone.")
    assert all(head), ulab.say(zh="头的一部分参数不学了。", en="Some of the head's parameters no longer learn.")
    assert not any(name.startswith("body") and ("weight" in name or "bias" in name) for name in changed), ulab.say(
        zh="训练几步以后，主体的权重变了：requires_grad 设对了吗？冻的是不是头？", en="After some steps the body's weights moved: is requires_grad set? Was it the head that got frozen?")
    assert not any("running" in name or "tracked" in name for name in changed), ulab.say(
        zh="权重没动，BatchNorm 的滑动均值和方差却变了：主体还在训练模式。再看看上面的演示。",
        en="Weights stayed, but BatchNorm's running mean and variance moved: the body is still in training mode. See the demonstration above.")
    assert not any(body), ulab.say(
        zh="主体的参数仍然要算梯度（requires_grad 是 True）。", en="The body's parameters still ask for gradients (requires_grad is True).")
    assert any(name.startswith("head") for name in changed), ulab.say(
        zh="头也没有变：它应当照常学习。", en="The head did not move: it should learn as usual.")
    assert head_trains, ulab.say(
        zh="头也被切到了评估模式：Dropout 在训练时就不起作用了。只对 model.body 用 eval()。",
        en="The head was switched to evaluation mode too: its dropout does nothing in training. Use eval() on model.body alone.")


_check_frozen(3, False)
### BEGIN HIDDEN TESTS
_check_frozen(3, True)
_check_frozen(1, False)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# ## 实验二：迁移值多少
#
# 三种鞋，每种 20 张，四种做法：
#
# - `pixels`：对 784 个像素做逻辑回归（基线）；
# - `scratch`：同样的网络，从随机权重开始；
# - `frozen`：换头、冻结主体；
# - `fine-tune`：换头，整个网络一起学。
#
# 每次重新抽 60 张图，四种做法用**同一批**图，走同样多步。
#
# **先猜再运行**：把四种做法从好到差排个序。

# %% [markdown] lang="en"
# ## Experiment two: what transfer is worth
#
# Three kinds of shoes, 20 images each, four methods:
#
# - `pixels`: logistic regression on 784 pixels (the baseline);
# - `scratch`: the same network from random weights;
# - `frozen`: a new head on the frozen body;
# - `fine-tune`: a new head, and the whole network learns.
#
# Each draw takes 60 new images; the four methods get **the same** images and as many steps.
#
# **Guess before you run**: order the four from best to worst.

# %%
my_order = ["?", "?", "?", "?"]

# %% nbgrader={"grade_id": "experiment-two", "locked": true}
def adapt(model, images, labels, seed, prepare=None, steps=STEPS):
    generator = torch.Generator().manual_seed(seed)
    trainer = Trainer(model, steps, prepare)
    for _ in range(steps):
        chosen = torch.randperm(len(images), generator=generator)[:32]
        trainer.step(images[chosen], labels[chosen])
    return accuracy(model, x_shoes_test, y_shoes_test)


def few(per_class, seed):
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.permutation(np.flatnonzero(y_shoes.numpy() == k))[:per_class] for k in range(3)])
    return x_shoes[rows], y_shoes[rows]


def compare_transfer(per_class, draws):
    scores = {"pixels": [], "scratch": [], "frozen": [], "fine-tune": []}
    for seed in range(draws):
        images, labels = few(per_class, seed)
        baseline = LogisticRegression(max_iter=500).fit(images.flatten(1).numpy(), labels.numpy())
        scores["pixels"].append(baseline.score(x_shoes_test.flatten(1).numpy(), y_shoes_test.numpy()))
        torch.manual_seed(seed)
        scores["scratch"].append(adapt(make_net(3), images, labels, seed))
        scores["frozen"].append(adapt(new_head(pretrained, 3), images, labels, seed, prepare=freeze))
        scores["fine-tune"].append(adapt(new_head(pretrained, 3), images, labels, seed))
    return scores


shoes = compare_transfer(20, DRAWS)
for method, reached in shoes.items():
    print(f"{method:10} {np.mean(reached):.3f} ± {np.std(reached, ddof=1):.3f}", np.round(reached, 3))
print(ulab.say(zh="你猜的顺序：", en="You guessed:"), my_order)

# %%
show(shoes, ulab.say(zh="三种鞋，每种 20 张标注", en="three kinds of shoes, 20 labels each"))
for pair in (("scratch", "pixels"), ("frozen", "scratch"), ("fine-tune", "scratch"), ("fine-tune", "frozen")):
    print(pair, verdict(shoes[pair[0]], shoes[pair[1]]))

# %% [markdown] lang="zh"
# 我们用 10 次抽样量到的均值（± 一次结果的标准差）：
#
# | 每类张数 | pixels | scratch | frozen | fine-tune |
# | --- | --- | --- | --- | --- |
# | 5 | 0.781 ± 0.032 | 0.801 ± 0.038 | 0.798 ± 0.057 | 0.801 ± 0.050 |
# | 20 | 0.848 ± 0.008 | 0.884 ± 0.014 | 0.889 ± 0.013 | 0.892 ± 0.008 |
# | 100 | 0.893 ± 0.004 | 0.907 ± 0.007 | 0.905 ± 0.007 | 0.915 ± 0.010 |
#
# 每类 20 张时，三种网络都明显比像素基线好（只有 5 张时连这也看不出），但它们之间的差别**淹没在起伏里**：换一批图带来的变化，比换做法还大。我们在各种张数上都没有看出三者的差别。为什么迁移在这里不值？主体只有 2808 个参数，60 张图就够它学；另外 7 类和鞋也不太像。主体很大、原来的数据又多又像的时候，结论常常相反——**那也得量过才算**。
#
# 冻结有一个准确率以外的好处：主体的输出只用算一次，训练几乎不花时间。

# %% [markdown] lang="en"
# The means we measured over 10 draws (± one run's standard deviation):
#
# | images a class | pixels | scratch | frozen | fine-tune |
# | --- | --- | --- | --- | --- |
# | 5 | 0.781 ± 0.032 | 0.801 ± 0.038 | 0.798 ± 0.057 | 0.801 ± 0.050 |
# | 20 | 0.848 ± 0.008 | 0.884 ± 0.014 | 0.889 ± 0.013 | 0.892 ± 0.008 |
# | 100 | 0.893 ± 0.004 | 0.907 ± 0.007 | 0.905 ± 0.007 | 0.915 ± 0.010 |
#
# With 20 images a class all three networks clearly beat the pixels (with 5, not even that can be told), but the differences between them **drown in the spread**: other images change more than another method does. At no number of images could we tell the three apart. Why doesn't transfer pay here? The body has only 2,808 parameters, which 60 images can teach; and garments are not much like shoes. With a large body and many similar images to pretrain on, the outcome is often the opposite – **once it has been measured**.
#
# Freezing has a virtue besides accuracy: the body's output need be computed only once, and training costs next to nothing.

# %% [markdown] lang="zh"
# ## 记下来：用 MLflow 并排比较
#
# 下一格把两个实验的每种做法各记成一次运行，用的是同一份划分。运行后到平台上这节实验的页面点“我的运行记录”，勾选几次，点 Compare。先按 `clean` 排序，再按 `at_work` 排序：第一名换人了吗？

# %% [markdown] lang="en"
# ## Keep a record: side by side in MLflow
#
# The next cell records each recipe and method of both experiments as a run, on the same split. Then open "My runs" on this lab's page, tick some and choose Compare. Sort by `clean`, then by `at_work`: does the winner change?

# %%
if not ulab.grading():
    for name in recipes:
        with ulab.track(f"augmentation: {name}", images=N_TRAIN, epochs=EPOCHS, seeds=SEEDS) as run:
            for seed in range(SEEDS):
                run.log(seed, clean=clean[name][seed], at_work=work[name][seed], validation=valid[name][seed])
    for name, scores in shoes.items():
        with ulab.track(f"transfer: {name}", labels_a_class=20, draws=DRAWS) as run:
            for draw, score in enumerate(scores):
                run.log(draw, shoes=score)

# %% [markdown] lang="zh"
# ## 6 交出你的模型（4 分）
#
# **任务 6。** 用前 1000 张（也可以用全部 1500 张）摆正的照片，训练一个到岗后能用的网络，存到 `final_model`。要求：在**看不见的**到岗照片上准确率至少 0.63（不增强约 0.34，±2 约 0.56），在摆正的照片上至少 0.70。训练轮数请用 `FINAL_EPOCHS`：判分时它自动减半，门槛也降到 0.60。
#
# 网络可以不用 `make_net`，只要收 `(n, 1, 28, 28)`、像素 0 到 1 的图，给出 10 类得分。用 `x_valid_work` 挑做法，不要用测试图挑。
#
# <details><summary>提示 1：概念</summary>增强的范围要盖住到岗后会发生的变化。</details>
# <details><summary>提示 2：位置</summary>实验一的哪一行超过了 0.63？<code>holdout_run</code> 训练传进去的网络本身。</details>
# <details><summary>提示 3：样子</summary>建网络 → 写一个收 <code>(images, generator)</code> 的增强 → 调用 <code>holdout_run</code>，轮数 <code>FINAL_EPOCHS</code>。</details>

# %% [markdown] lang="en"
# ## 6 Hand in your model (4 points)
#
# **Task 6.** From the first 1,000 centred photographs (or all 1,500) train a network that is of use at work, and keep it in `final_model`. On **unseen** photographs at work it needs an accuracy of 0.63 (without augmentation about 0.34, with ±2 about 0.56), on centred ones 0.70. Train for `FINAL_EPOCHS`: grading halves it by itself and asks for 0.60.
#
# The network need not be of `make_net`, as long as it takes images `(n, 1, 28, 28)` with pixels from 0 to 1 and gives scores for 10 classes. Choose by `x_valid_work`, not by test images.
#
# <details><summary>Hint 1: idea</summary>The augmentation's range must cover what will happen at work.</details>
# <details><summary>Hint 2: place</summary>Which row of experiment one is above 0.63? <code>holdout_run</code> trains the very network you pass in.</details>
# <details><summary>Hint 3: shape</summary>Make a network → write an augmentation of <code>(images, generator)</code> → call <code>holdout_run</code> with <code>FINAL_EPOCHS</code>.</details>

# %% nbgrader={"grade_id": "final-model", "solution": true}
### BEGIN SOLUTION
torch.manual_seed(0)  # free choice: any seed wins
reach, chance = 5, torch.Generator().manual_seed(0)  # free choice: 4 and 6 win as well
final_model = make_net()
holdout_run(final_model, x, y, N_TRAIN, lambda images, generator: shift_flip(images, generator, reach), FINAL_EPOCHS, chance)
### END SOLUTION

# %% nbgrader={"grade_id": "final-predict", "locked": true}
def final_predict(images):
    final_model.eval()
    with torch.no_grad():
        return torch.cat([final_model(part.to(device)).argmax(1).cpu() for part in images.split(1000)])


print(ulab.say(zh="模拟验证集上：", en="On the imitated validation set:"),
      f"{(final_predict(x_valid_work) == y[N_TRAIN:]).float().mean().item():.3f}")

# %% nbgrader={"grade_id": "final-model-test", "grade": true, "points": 4}
# zh: 门槛在 ±2 的增强和参考做法之间
# en: the threshold lies between an augmentation of ±2 and the reference
_wanted = 0.60 if ulab.grading() else 0.63


def _check_final(rows, seed):
    images, labels = as_tensors(data.test_images[rows], data.test_labels[rows])
    guesses = final_predict(images)
    assert guesses.shape == labels.shape, ulab.say(
        zh=f"{len(labels)} 张图应得到 {len(labels)} 个预测。", en=f"{len(labels)} images should give {len(labels)} predictions.")
    centred = (guesses == labels).float().mean().item()
    assert centred >= 0.70, ulab.say(
        zh=f"摆正的照片上只有 {centred:.3f}，需要 0.70：训练够久吗？标签对得上吗？增强会不会过头了？", en=f"Only {centred:.3f} on centred photographs, 0.70 is wanted: trained long enough? Do labels match? Is the augmentation too strong?")
    found = (final_predict(at_work(images, seed)) == labels).float().mean().item()
    assert found >= 0.45, ulab.say(
        zh=f"到岗后的照片上只有 {found:.3f}：看起来训练时没有增强。", en=f"Only {found:.3f} at work: it looks as if training had no augmentation.")
    assert found >= _wanted, ulab.say(
        zh=f"到岗后的照片上 {found:.3f}，需要 {_wanted}：增强的范围盖住 ±5 像素了吗？",
        en=f"{found:.3f} at work, {_wanted} is wanted: does the augmentation cover ±5 pixels?")


_check_final(slice(4000, 5000), seed=21)
### BEGIN HIDDEN TESTS
_check_final(slice(7000, 8500), seed=1234)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# ## 7 你的建议（4 分，由教师评分）
#
# 仓库经理问：“增强和迁移，我们该做哪个？” 请用 150–300 字回答：
#
# 1. 分拣线：要不要增强？做多大范围？用你量到的数字说明，并说出它的代价。
# 2. 认鞋：要不要用别人的网络？“看不出差别”该怎样变成一个决定？
# 3. 你的结论里哪一条最可能在真实的传送带上不成立？打算怎样检验？

# %% [markdown] lang="en"
# ## 7 Your advice (4 points, graded by your instructor)
#
# The warehouse's manager asks: "Augmentation or transfer, which should we do?" Answer in 100 to 200 words:
#
# 1. The sorting line: augment or not, and how far? Give your measured figures, and name the price.
# 2. The shoes: use someone else's network? How does "no clear difference" become a decision?
# 3. Which of your conclusions is most likely to fail on a real belt? How would you test it?

# %% [markdown] lang="zh" nbgrader={"grade_id": "advice", "grade": true, "solution": true, "points": 4}
# ### BEGIN SOLUTION
# 评分要点：
# - （1.5 分）建议增强，范围按到岗后的变化来定（约 ±5 和翻转），引用到岗后的两个以上数字（例如 0.34 → 0.76），并说出代价：摆正的图上掉几个百分点（例如 0.83 → 0.78），或训练要更久。只说“增强能提高准确率”得 0.5 分。
# - （1.5 分）引用区间或起伏，说明三种网络分不出高下；据此按别的理由决定：从头训练最省事，冻结训练最便宜，或者再多标一些、多抽几次再比。把均值高 0.005 的说成“更好”得 0 分；把“看不出差别”说成“证明一样好”扣 0.5 分。
# - （1 分）指出一条假设（平移范围、翻转、背景、光照、旧衣服的样子、类别比例……）和一个可行的检验，例如在真实传送带上拍几百张、标注、单独作为测试集。
#
# 参考答案：到岗后不增强只有 0.34，±2 是 0.56，±5 是 0.76，所以要增强，并且范围要盖住实际的偏移；代价是摆正的图从 0.83 掉到 0.78。认鞋的三种做法区间重叠，60 张图分不出来，我选最简单的从头训练，等标到每类 100 张再比一次。最不放心的是 ±5：我会在传送带上拍 300 张量一量真实的偏移，再用它们作测试集。
# ### END SOLUTION

# %% [markdown] lang="en" nbgrader={"grade_id": "advice", "grade": true, "solution": true, "points": 4}
# ### BEGIN SOLUTION
# Rubric:
# - (1.5) Advises augmentation with a range set by what happens at work (about ±5 and mirroring), gives at least two figures at work (0.34 → 0.76, say) and names the price: some points on centred images (0.83 → 0.78, say) or longer training. "Augmentation raises accuracy" alone earns 0.5.
# - (1.5) Uses intervals or the spread to say that the three networks can't be told apart, and decides on other grounds: from scratch is simplest, frozen is cheapest to train, or label more and draw more often before deciding. Calling a mean that is 0.005 higher "better" earns 0; taking "no clear difference" as proof of equality loses 0.5.
# - (1) Names an assumption (range of shifts, mirroring, background, light, the look of used clothes, class shares …) and a feasible test, such as some hundred photographs from the real belt, labelled and kept as a test set.
#
# Model answer: At work, no augmentation gives 0.34, ±2 gives 0.56 and ±5 gives 0.76; so augment, with a range that covers the real offsets. The price is a fall from 0.83 to 0.78 on centred images. For shoes the intervals of the three methods overlap: 60 images can't tell. I take the simplest, from scratch, and compare again at 100 labels a class. I trust ±5 least: I would take 300 photographs on the belt, measure the real offsets, and keep them as a test set.
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 还想再走一步
#
# 下一格把 `GO_FURTHER` 改成 `True` 再运行：用 6000 张图、64 个通道、±5 训练 20 轮。有 GPU 时它自己用 GPU（`ulab.device()`）；只有 CPU 时要好几分钟。数据多了，摆正的图还吃亏吗？
#
# * **测试时增强**（TTA）：把一张图的几个平移版本都交给模型，得分取平均。能不能救“不增强”的模型？
# * 把左右翻转换成上下翻转，或者旋转 90 度：在摆正的图上各掉多少？为什么？
# * `compare_transfer(5, 6)` 和 `compare_transfer(100, 6)`：标注多少会改变结论吗？
# * 不用标签的预训练（SimCLR）：用 `shift_flip` 给同一张图造两个样子，让它们的特征互相靠近。

# %% [markdown] lang="en"
# ## One step further
#
# Set `GO_FURTHER` to `True` in the next cell and run it: 6,000 images, 64 channels, ±5, 20 epochs. With a GPU it uses it by itself (`ulab.device()`); on a CPU it takes several minutes. With more data, do centred images still pay the price?
#
# * **Test-time augmentation** (TTA): give the model several shifted versions of an image and average the scores. Does it rescue the model without augmentation?
# * Replace mirroring by flips upside down, or by turns of 90 degrees: what does each cost on centred images, and why?
# * `compare_transfer(5, 6)` and `compare_transfer(100, 6)`: does the number of labels change the conclusion?
# * Pretraining without labels (SimCLR): make two versions of each image by `shift_flip` and draw their features together.

# %%
GO_FURTHER = False

if GO_FURTHER and not ulab.grading():
    more_x, more_y = as_tensors(data.train_images[:6500], data.train_labels[:6500])
    wide = make_net(channels=64)
    holdout_run(wide, more_x, more_y, 6000, recipes["shift 5"], 20, torch.Generator().manual_seed(0))
    print(device, accuracy(wide, x_test, y_test), accuracy(wide, x_work, y_test))

# %% [markdown] lang="zh"
# **局限和许可。** 到岗照片是我们模拟的，没有背景、光照和褶皱的变化；网店商品照也不是退货。置信区间只包含种子和抽样的起伏，不包含“换一批测试图”的起伏。仓库是设想的。Fashion-MNIST：Xiao、Rasul、Vollgraf（2017），MIT 许可。文中的数字是在 CPU 上量的。

# %% [markdown] lang="en"
# **Limits and licence.** Photographs at work are imitated, without changes of background, light or creases, and an online shop's photographs are not returned clothes. The intervals hold the spread of seeds and draws, not that of other test images. The warehouse is imagined. Fashion-MNIST: Xiao, Rasul, Vollgraf (2017), MIT licence. The figures were measured on a CPU.
