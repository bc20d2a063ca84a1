# %% [markdown] lang="zh"
# # 明年的大豆
#
# **四月，吉林的黑土刚化冻。农场要排夏天的灌溉和追肥，先得知道：播种后第 60 天，一株大豆会长出多少叶子？** 手上有过去三年的田间记录，可是要预报的是**明年**，而明年的天气谁也没见过。
#
# 我们用一份真实的、公开发表过的大豆试验：两个品系、三年、48 个小区（田里分开种、分开称的一小块地），隔一到两周称一次**叶重**（一株的叶子有多少克，取平均）。它不是吉林的数据；哪些结论能搬到吉林，最后一题由你判断。
#
# 做法是：先看三年的生长，再写出一条生长曲线，用数据求它的参数，然后用**两种检验**给三个模型打分。两种检验会选出不同的模型，你要决定信哪一种。
#
# | | |
# | --- | --- |
# | 做完以后你能 | 用分组汇总看清重复试验；写出逻辑斯蒂曲线和它的损失函数；按年份检验模型，认出泄漏；说明哪个数能告诉别人 |
# | 你需要先会 | Python 函数，pandas 的 `DataFrame`，知道 PyTorch 的张量是什么 |
# | 大约用时 | 90 分钟，运算不到一分钟 |
# | 计分 | 7 处作答，共 18 分；最后一题由教师评分 |
#
# 每题后面有测试：通过时没有输出，没通过时会说想错了哪里。交上去以后还会跑一批看不见的测试，内容不超出题目说明。卡住了就点开“提示”。

# %% [markdown] lang="en"
# # Next year's soybeans
#
# **April, and Jilin's black soil has just thawed. A farm has to plan its summer: when to water, when to feed. So it asks: how much leaf will a soybean plant have on day 60 after sowing?** There are field records of the past three years. But the forecast is for **next year**, whose weather nobody has seen.
#
# We use a real soybean trial that was published: two lines, three years, 48 plots (small pieces of a field, sown and weighed apart). Every week or two somebody weighed the leaves: grams of leaf for one plant, as a mean. It is not from Jilin; in the last question you judge what of it holds there.
#
# You look at three years of growth, write down a growth curve, find its parameters from the data, and then score three models by **two kinds of test**. The two choose different models, and you decide which to believe.
#
# | | |
# | --- | --- |
# | Afterwards you can | read repeated trials with grouped means; write a logistic curve and its loss function; test models on whole years and recognise a leak; say which number may be told to others |
# | You need | Python functions, `DataFrame` in pandas, what a tensor in PyTorch is |
# | Time | about 90 minutes, less than one of them computing |
# | Score | 7 answers, 18 points; your instructor grades the last one |
#
# Tests follow each task: silent when they pass, and when they don't they say what went wrong in the thinking. After you hand in, more tests run that you can't see; they ask nothing beyond the task's text. When stuck, unfold the hints.

# %% [markdown] lang="zh"
# ## 0 准备
#
# 运行下面这格，不用改。列名：`Plot` 小区，`Variety` 品系（`F` 是商业品种，`P` 是试验品系），`Year` 年份，`Time` 播种后的天数，`weight` 叶重（克）。

# %% [markdown] lang="en"
# ## 0 Getting ready
#
# Run the next cell; it needs no change. The columns: `Plot`, `Variety` (`F` is a commercial variety, `P` an experimental line), `Year`, `Time` in days after sowing, `weight` of leaf in grams.

# %% nbgrader={"grade_id": "setup", "locked": true}
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import ulab
from sklearn.ensemble import RandomForestRegressor

ulab.use_fonts()
table = ulab.load("soybean-growth")[["Plot", "Variety", "Year", "Time", "weight"]]
YEARS = sorted(set(table["Year"].tolist()))
VARIETIES = ["F", "P"]
table.head()

# %% [markdown] lang="zh"
# **先猜，再看图。** 一株大豆的叶重从出苗到封垄怎样变：每天加一样多，每天乘一样的倍数，还是先快后慢？三年的曲线会重合吗？写下你的猜测，再运行下一格。

# %% [markdown] lang="en"
# **Guess before you look.** How does a plant's leaf grow from seedling to closed rows: by the same grams a day, by the same factor a day, or fast first and slowly later? Will three years lie on one curve? Write down your guess, then run the next cell.

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True)
for axis, year in zip(axes, YEARS):
    for variety, colour in zip(VARIETIES, ["tab:green", "tab:brown"]):
        for _, plot in table[(table["Year"] == year) & (table["Variety"] == variety)].groupby("Plot"):
            axis.plot(plot["Time"], plot["weight"], color=colour, alpha=0.5)
        axis.plot([], [], color=colour, label=ulab.say(zh=f"品系 {variety}", en=f"variety {variety}"))
    axis.set_title(year)
    axis.set_xlabel(ulab.say(zh="播种后天数", en="days after sowing"))
axes[0].set_ylabel(ulab.say(zh="叶重（克）", en="leaf weight (g)"))
axes[0].legend()
plt.tight_layout()
plt.show()

# %% [markdown] lang="zh"
# ## 1 八个小区的平均（2 分）
#
# 每年每个品系种了八个小区，目的是让土的差别互相抵消。所以先求平均，但只能在**同一年、同一品系、同一天**之内求。
#
# **例子**：*挑出一组*：1988 年，品系 F，第 14 天，两个小区是 0.10 和 0.12 克。*求平均*：0.11 克。*记下它属于哪一组*：`(1988, "F", 14)`。
#
# **任务 1。** 写 `mean_growth(table)`：返回一个 `Series`，索引依次是 `Year`、`Variety`、`Time`，值是这一组 `weight` 的平均。
#
# <details><summary>提示 1：想法</summary>“每……每……每……”就是分组：三个“每”，三个分组的列。</details>
# <details><summary>提示 2：位置</summary><code>DataFrame.groupby</code> 收一个列名的列表。</details>
# <details><summary>提示 3：样子</summary>分组 → 取出一列 → 求平均，一行就够。</details>

# %% [markdown] lang="en"
# ## 1 The mean of eight plots (2 points)
#
# Each year eight plots were sown with each variety, so that differences of the soil cancel out. So take means, but only within **one year, one variety and one day**.
#
# **Example**: *Pick a group*: year 1988, variety F, day 14; two plots have 0.10 and 0.12 grams. *Take the mean*: 0.11 grams. *Note whose it is*: `(1988, "F", 14)`.
#
# **Task 1.** Write `mean_growth(table)`: return a `Series` with the index `Year`, `Variety`, `Time` in this order, and the group's mean `weight` as values.
#
# <details><summary>Hint 1: idea</summary>“Each … each … each …” is grouping: three times “each”, three columns.</details>
# <details><summary>Hint 2: place</summary><code>DataFrame.groupby</code> takes a list of columns.</details>
# <details><summary>Hint 3: shape</summary>Group, pick one column, take the mean: one line will do.</details>

# %% nbgrader={"grade_id": "mean-growth", "solution": true}
def mean_growth(table):
    # zh: 返回每年、每个品系、每一天的平均叶重
    # en: return the mean leaf weight of each year, variety and day
    ### BEGIN SOLUTION
    return table.groupby(["Year", "Variety", "Time"])["weight"].mean()
    ### END SOLUTION

# %% nbgrader={"grade_id": "mean-growth-test", "grade": true, "points": 2}
# zh: 一张十行的小表：分组对不对，平均对不对
# en: a small table of ten rows: the groups, and their means
_small = pd.DataFrame(
    {
        "Plot": ["a", "b", "c", "a", "b", "d", "e", "d", "e", "g"],
        "Variety": ["F", "F", "F", "F", "F", "P", "P", "P", "P", "F"],
        "Year": [1988, 1988, 1988, 1988, 1988, 1988, 1988, 1988, 1988, 1990],
        "Time": [14, 14, 14, 21, 21, 14, 14, 21, 21, 14],
        "weight": [0.1, 0.2, 0.6, 1.0, 3.0, 0.5, 0.7, 2.0, 6.0, 9.0],
    }
)
_got = mean_growth(_small)
assert isinstance(_got, pd.Series) and _got.index.nlevels == 3, ulab.say(
    zh="要一个 Series，索引是年份、品系、天数三层：三个列都要分组。",
    en="A Series with three levels of index is asked for: group by all three, year, variety and day.",
)
assert len(_got) == 5, ulab.say(zh="小表里有五组，每组一个数。", en="The small table has five groups, one number for each.")
assert np.isclose(_got[(1988, "F", 21)], 2.0), ulab.say(
    zh="(1988, F, 21) 有 1 克和 3 克两个小区，平均是 2 克。", en="(1988, F, 21) has two plots, 1 g and 3 g; their mean is 2 g."
)
### BEGIN HIDDEN TESTS
assert np.isclose(_got[(1988, "F", 14)], 0.3), ulab.say(
    zh="三个小区里有一个特别高：题目要平均数，不是中位数，也不是总和。",
    en="One of three plots is far above the others: the mean is asked for, not the median and not the sum.",
)
assert np.isclose(_got[(1990, "F", 14)], 9.0) and np.isclose(_got[(1988, "P", 21)], 4.0), ulab.say(
    zh="不同年份或不同品系混进了同一组。", en="Different years or varieties got into one group."
)
### END HIDDEN TESTS

# %%
mean_growth(table).unstack(["Year", "Variety"]).interpolate().plot(marker=".", figsize=(6, 3.5))
plt.xlabel(ulab.say(zh="播种后天数", en="days after sowing"))
plt.ylabel(ulab.say(zh="平均叶重（克）", en="mean leaf weight (g)"))
plt.show()

# %% [markdown] lang="zh"
# ## 2 一条生长曲线（2 分）
#
# 开始时叶子越多长得越快，后来光和养分不够分，慢慢停下来。**逻辑斯蒂曲线**（S 形曲线）把这件事写成三个数：
#
# $$w(t) = \frac{\text{top}}{1 + e^{-(t - \text{middle})/\text{pace}}}$$
#
# `top` 是最后停在多少克，`middle` 是长到一半的那一天，`pace` 是快慢：越大，这个过程拖得越长（天）。
#
# **例子**：top = 20，middle = 55，pace = 8，问第 63 天。*离中点几天*：63 − 55 = 8。*合几个 pace*：1。*代入*：20 / (1 + e⁻¹) ≈ 14.6 克。
#
# **任务 2。** 写 `logistic(days, top, middle, pace)`：`days` 是张量，返回同样形状的张量。用 `torch.exp`，不要循环。
#
# <details><summary>提示 1：想法</summary>把例子的三步写成一个式子；张量会对每一天各算一次。</details>
# <details><summary>提示 2：位置</summary>指数前面有一个负号，天数越大指数项越小。</details>
# <details><summary>提示 3：样子</summary><code>top / (1 + torch.exp(……))</code>。</details>

# %% [markdown] lang="en"
# ## 2 A growth curve (2 points)
#
# At first, more leaves mean faster growth; later light and food run short and growth comes to rest. The **logistic curve**, shaped like an S, says so in three numbers:
#
# $$w(t) = \frac{\text{top}}{1 + e^{-(t - \text{middle})/\text{pace}}}$$
#
# `top` is where it comes to rest, in grams; `middle` is the day when half of that is reached; `pace` is how long the change takes, in days.
#
# **Example**: top = 20, middle = 55, pace = 8; what of day 63? *Days from the middle*: 63 − 55 = 8. *How many times the pace*: 1. *Put it in*: 20 / (1 + e⁻¹) ≈ 14.6 grams.
#
# **Task 2.** Write `logistic(days, top, middle, pace)`: `days` is a tensor, and so is the result, of the same shape. Use `torch.exp` and no loop.
#
# <details><summary>Hint 1: idea</summary>Write the three steps of the example as one expression; a tensor does it for each day.</details>
# <details><summary>Hint 2: place</summary>There is a minus in the exponent: the later the day, the smaller that term.</details>
# <details><summary>Hint 3: shape</summary><code>top / (1 + torch.exp(…))</code>.</details>

# %% nbgrader={"grade_id": "logistic", "solution": true}
def logistic(days, top, middle, pace):
    # zh: 返回每一天的叶重
    # en: return the leaf weight of each day
    ### BEGIN SOLUTION
    return top / (1 + torch.exp(-(days - middle) / pace))
    ### END SOLUTION

# %% nbgrader={"grade_id": "logistic-test", "grade": true, "points": 2}
# zh: 中点、两头，和例子里的第 63 天
# en: the middle, both ends, and day 63 of the example
_days = torch.tensor([0.0, 55.0, 63.0, 200.0])
_curve = logistic(_days, 20.0, 55.0, 8.0)
assert torch.is_tensor(_curve) and _curve.shape == (4,), ulab.say(
    zh="返回的应当是张量，每一天一个数。", en="The result should be a tensor with a number for each day."
)
assert _curve[3] > _curve[0], ulab.say(
    zh="曲线在往下走：看看指数里的负号。", en="The curve goes down: look at the minus in the exponent."
)
assert torch.isclose(_curve[1], torch.tensor(10.0)), ulab.say(
    zh="第 middle 天应当正好是 top 的一半。", en="On day `middle` half of `top` should be reached."
)
assert torch.isclose(_curve[2], torch.tensor(14.6212), atol=1e-3), ulab.say(
    zh="第 63 天与例子不符：离中点的天数要除以 pace。", en="Day 63 differs from the example: divide the days from the middle by the pace."
)
### BEGIN HIDDEN TESTS
_other = logistic(torch.tensor([[30.0], [54.0]]), 12.0, 42.0, 6.0)
assert _other.shape == (2, 1) and torch.allclose(_other, torch.tensor([[1.4304], [10.5696]]), atol=1e-3), ulab.say(
    zh="换一组参数就不对了：三个数都要用传进来的。", en="Wrong for other parameters: use the three that are handed in."
)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# ## 3 差多少：损失函数（2 分）
#
# 要让计算机找出三个参数，先得告诉它“差多少”。**均方误差**：每个点差多少，平方，再取平均。PyTorch 会沿着它的梯度（往哪边改能变小）一步步改参数，所以返回的必须还是张量，不能变成普通的数。
#
# **例子**：预测 3 和 5，称得 1 和 6。*相减*：2 和 −1。*平方*：4 和 1。*取平均*：2.5。
#
# **任务 3。** 写 `loss(predicted, weights)`：返回均方误差，一个能求梯度的张量。
#
# <details><summary>提示 1：想法</summary>例子的三步就是三个运算。</details>
# <details><summary>提示 2：位置</summary>张量自己有 <code>mean()</code>；不要用 <code>.item()</code> 或 <code>float()</code>。</details>
# <details><summary>提示 3：样子</summary><code>(…… ** 2).mean()</code>。</details>

# %% [markdown] lang="en"
# ## 3 How far off: the loss function (2 points)
#
# Before a computer can find the three parameters it has to be told how far off they are. The **mean squared error**: how far off each point is, squared, and the mean of that. PyTorch follows its gradient (which way makes it smaller), step by step; so it must stay a tensor and not become a plain number.
#
# **Example**: predicted 3 and 5, weighed 1 and 6. *Subtract*: 2 and −1. *Square*: 4 and 1. *Take the mean*: 2.5.
#
# **Task 3.** Write `loss(predicted, weights)`: return the mean squared error, a tensor with a gradient.
#
# <details><summary>Hint 1: idea</summary>The three steps of the example are three operations.</details>
# <details><summary>Hint 2: place</summary>Tensors have a <code>mean()</code> of their own; leave out <code>.item()</code> and <code>float()</code>.</details>
# <details><summary>Hint 3: shape</summary><code>(… ** 2).mean()</code>.</details>

# %% nbgrader={"grade_id": "loss", "solution": true}
def loss(predicted, weights):
    # zh: 返回均方误差
    # en: return the mean squared error
    ### BEGIN SOLUTION
    return ((predicted - weights) ** 2).mean()
    ### END SOLUTION

# %% nbgrader={"grade_id": "loss-test", "grade": true, "points": 2}
# zh: 例子里的数，另一组数，还有能不能求梯度
# en: the numbers of the example, others, and whether it has a gradient
@ulab.at_student
def _gradient(predicted, weights):
    predicted = predicted.clone().requires_grad_(True)
    loss(predicted, weights).backward()
    return predicted.grad


_predicted, _weights = torch.tensor([3.0, 5.0]), torch.tensor([1.0, 6.0])
assert np.isclose(float(loss(_predicted, _weights)), 2.5), ulab.say(
    zh="例子里应当得到 2.5：先平方，再取平均。", en="The example gives 2.5: square first, then take the mean."
)
### BEGIN HIDDEN TESTS
_three, _ones = torch.tensor([4.0, 1.0, 1.0]), torch.ones(3)
assert np.isclose(float(loss(_three, _ones)), 3.0), ulab.say(
    zh="三个点时不对了：要除以点的个数。", en="Wrong for three points: divide by how many there are."
)
try:
    _slope = _gradient(_three, _ones)
except (RuntimeError, AttributeError, TypeError):
    _slope = None
assert _slope is not None, ulab.say(
    zh="结果求不了梯度：不要把张量变成普通的数。", en="The result has no gradient: keep it a tensor, not a plain number."
)
assert torch.allclose(_slope, torch.tensor([2.0, 0.0, 0.0])), ulab.say(
    zh="梯度不对：它应当来自平方的平均。", en="The gradient is wrong: it should come from the mean of the squares."
)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# 下面这格给出三个模型，都有 `fit(table)` 和 `predict(table)`：`Line` 是一条直线；`Curve` 给每个品系求一条逻辑斯蒂曲线，用的就是你的 `logistic` 和 `loss`；`Forest` 是**随机森林**，由 200 棵各看一部分数据的决策树取平均，它不知道任何生长规律，但很会记。**它们都不用年份**：明年是新的一年，用了也没有意义。

# %% [markdown] lang="en"
# The next cell gives three models, each with `fit(table)` and `predict(table)`: `Line` is a straight line; `Curve` finds a logistic curve for each variety, with your `logistic` and `loss`; `Forest` is a **random forest**, the mean of 200 decision trees that each see a part of the data. It knows nothing about growth, but remembers well. **None of them uses the year**: next year is a new one, so it would tell nothing.

# %% nbgrader={"grade_id": "models", "locked": true}
# zh: 评分时少算一些，测试用不到它们
# en: less work while grading: no test needs it
STEPS, TREES = (20, 10) if ulab.grading() else (400, 200)


class Line:
    def fit(self, table):
        self.line = np.polyfit(table["Time"], table["weight"], 1)

    def predict(self, table):
        return np.polyval(self.line, table["Time"])


class Curve:
    def fit(self, table):
        self.parameters = {}
        for variety, rows in table.groupby("Variety"):
            days = torch.tensor(rows["Time"].to_numpy(dtype="float32"))
            weights = torch.tensor(rows["weight"].to_numpy(dtype="float32"))
            parameters = torch.tensor([float(weights.max()), 50.0, 8.0], requires_grad=True)
            optimizer = torch.optim.Adam([parameters], lr=0.3)
            for _ in range(STEPS):
                optimizer.zero_grad()
                loss(logistic(days, *parameters), weights).backward()
                optimizer.step()
            self.parameters[variety] = parameters.detach()

    def predict(self, table):
        predicted = np.zeros(len(table))
        for variety, parameters in self.parameters.items():
            here = (table["Variety"] == variety).to_numpy()
            days = torch.tensor(table["Time"].to_numpy(dtype="float32")[here])
            predicted[here] = logistic(days, *parameters).numpy()
        return predicted


class Forest:
    def features(self, table):
        return np.column_stack([table["Time"], table["Variety"] == "P"])

    def fit(self, table):
        self.forest = RandomForestRegressor(TREES, random_state=0).fit(self.features(table), table["weight"])

    def predict(self, table):
        return self.forest.predict(self.features(table))


MODELS = {"line": Line, "curve": Curve, "forest": Forest}

# %%
curve = Curve()
curve.fit(table)
for variety, (top, middle, pace) in curve.parameters.items():
    print(variety, ulab.say(
        zh=f"停在 {top:.1f} 克，第 {middle:.0f} 天长到一半，pace {pace:.1f} 天",
        en=f"comes to rest at {top:.1f} g, half of it on day {middle:.0f}, pace {pace:.1f} days",
    ))

# %% [markdown] lang="zh"
# ## 4 没见过的一年（3 分）
#
# 怎样知道模型在明年好不好？藏起一部分数据，用其余的训练，再拿藏起的考它。常见的做法是**随机**抽三分之一的行。可是同一个小区、同一年的天气，会同时出现在训练和考试里：第 41 天考的那一行，它隔壁小区同一天的记录就在训练集里。这叫**数据泄漏**。明年没有这样的“隔壁”。
#
# 诚实的做法是**留一年**：每次藏起完整的一年。
#
# **例子**：有 1988、1989、1990 三年。*藏起 1988*：训练用 1989 和 1990 的所有行。*再藏起 1989*，*再藏起 1990*，一共三次。
#
# **任务 4。** 写 `year_folds(table)`：返回一个列表，每一年一个 `(train, test)`，都是表；按年份从早到晚，`test` 是这一年的所有行，`train` 是其余各年的所有行。
#
# <details><summary>提示 1：想法</summary>对每一年做同一件事：这一年的放一边，其他年的放另一边。</details>
# <details><summary>提示 2：位置</summary><code>table["Year"] == year</code> 是一列真假值，可以拿来选行，<code>!=</code> 选其余的行。</details>
# <details><summary>提示 3：样子</summary>一个循环，每次往列表里加一个二元组；年份从表里找，先排序。</details>

# %% [markdown] lang="en"
# ## 4 A year never seen (3 points)
#
# How to know whether a model will be good next year? Hide a part of the data, train on the rest, then test on what was hidden. Commonly a third of the rows is drawn **at random**. But then the weather of one year, and one and the same plot, are in training and in the test: when a row of day 41 is asked for, the neighbour's record of that very day is in the training set. That is **data leakage**. Next year has no such neighbour.
#
# The honest way is to **leave a year out**: hide one whole year at a time.
#
# **Example**: there are the years 1988, 1989 and 1990. *Hide 1988*: train on all rows of 1989 and 1990. *Then hide 1989*, *then 1990*: three times in all.
#
# **Task 4.** Write `year_folds(table)`: return a list with one `(train, test)` for each year, both tables; from the earliest to the latest, `test` has all rows of the year and `train` all rows of the other years.
#
# <details><summary>Hint 1: idea</summary>Do one thing for each year: its rows to one side, those of other years to the other.</details>
# <details><summary>Hint 2: place</summary><code>table["Year"] == year</code> is a column of true and false that picks rows; <code>!=</code> picks the rest.</details>
# <details><summary>Hint 3: shape</summary>A loop that adds a pair to a list each time; find the years in the table and sort them.</details>

# %% nbgrader={"grade_id": "year-folds", "solution": true}
def year_folds(table):
    # zh: 每年返回一个 (train, test)
    # en: return one (train, test) for each year
    ### BEGIN SOLUTION
    folds = []
    for year in sorted(table["Year"].unique()):
        folds.append((table[table["Year"] != year], table[table["Year"] == year]))
    return folds
    ### END SOLUTION

# %% nbgrader={"grade_id": "year-folds-test", "grade": true, "points": 3}
# zh: 一张四年的小表，年份没有排好
# en: a small table of four years, out of order
_years = [2003, 2001, 2003, 2002, 2001, 2004, 2003]
_records = pd.DataFrame({"Plot": list("abcdefg"), "Year": _years, "weight": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]})
_folds = year_folds(_records)
assert len(_folds) == 4, ulab.say(zh="有几年就有几组 (train, test)。", en="There are as many (train, test) as years.")
assert all(len(_fold) == 2 for _fold in _folds), ulab.say(zh="每组两张表：train 和 test。", en="Each has two tables: train and test.")
assert [sorted(set(_test["Year"])) for _, _test in _folds] == [[2001], [2002], [2003], [2004]], ulab.say(
    zh="每次考完整的一年，从早到晚：前面是 train，后面是 test。",
    en="Each test is one whole year, from early to late: train comes first, then test.",
)
### BEGIN HIDDEN TESTS
for _train, _test in _folds:
    assert not set(_train["Plot"]) & set(_test["Plot"]), ulab.say(
        zh="考试的那一年也在训练集里，这就是泄漏。", en="The year of the test is in the training set too: that is a leak."
    )
    assert sorted([*_train["Plot"], *_test["Plot"]]) == list("abcdefg"), ulab.say(
        zh="有些行丢了：这一年的所有行来考试，其余所有行来训练，后来的年份也算。",
        en="Rows are missing: all rows of the year are for the test and all others for training, later years as well.",
    )
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "random-folds", "locked": true}
def random_folds(table, seed=0):
    parts = np.array_split(np.random.default_rng(seed).permutation(len(table)), 3)
    return [(table.drop(table.index[part]), table.iloc[part]) for part in parts]

# %% [markdown] lang="zh"
# ## 5 每一折错多少（3 分）
#
# 一组 `(train, test)` 叫一**折**。报给农场的误差要好懂，用**平均绝对误差**（MAE）：平均差几克，不管多了还是少了。
#
# **例子**：某一折里预测 3、3，称得 5、2。*差的大小*：2 和 1。*取平均*：1.5 克。*下一折*：换一个**新的**模型，从头训练。
#
# **任务 5。** 写 `fold_errors(make_model, folds)`：对每一折用 `make_model()` 造一个新模型，`fit(train)`，再 `predict(test)`，返回每一折的 MAE，一个列表。
#
# <details><summary>提示 1：想法</summary>考试题不能先给学生看：每一折都是一个从没见过 test 的新模型。</details>
# <details><summary>提示 2：位置</summary><code>make_model()</code> 写在循环里面；称得的值在 <code>test["weight"]</code>。</details>
# <details><summary>提示 3：样子</summary>循环：造模型 → fit → predict → 绝对值的平均 → 加进列表。</details>

# %% [markdown] lang="en"
# ## 5 How wrong in each fold (3 points)
#
# One pair `(train, test)` is called a **fold**. The error that a farm is told should be easy to grasp, so take the **mean absolute error** (MAE): how many grams off in the mean, be it more or less.
#
# **Example**: in one fold 3 and 3 are predicted, 5 and 2 weighed. *How far off*: 2 and 1. *The mean*: 1.5 grams. *The next fold*: a **new** model, trained from the start.
#
# **Task 5.** Write `fold_errors(make_model, folds)`: for each fold make a new model with `make_model()`, `fit(train)`, then `predict(test)`; return the MAE of each fold in a list.
#
# <details><summary>Hint 1: idea</summary>Nobody may see the exam beforehand: each fold needs a new model that never met its test rows.</details>
# <details><summary>Hint 2: place</summary><code>make_model()</code> belongs inside the loop; what was weighed is in <code>test["weight"]</code>.</details>
# <details><summary>Hint 3: shape</summary>Loop: make, fit, predict, the mean of the absolute differences, add it to the list.</details>

# %% nbgrader={"grade_id": "fold-errors", "solution": true}
def fold_errors(make_model, folds):
    # zh: 返回每一折的平均绝对误差
    # en: return the mean absolute error of each fold
    ### BEGIN SOLUTION
    errors = []
    for train, test in folds:
        model = make_model()
        model.fit(train)
        errors.append(float(np.mean(np.abs(model.predict(test) - test["weight"]))))
    return errors
    ### END SOLUTION

# %% nbgrader={"grade_id": "fold-errors-test", "grade": true, "points": 3}
# zh: 一个只会猜平均数的模型，两折；它记得自己见过的所有行
# en: a model that only guesses a mean, two folds; it remembers all rows it has seen
@ulab.at_student
def _errors(folds):
    class Mean:
        def __init__(self):
            self.seen = []

        def fit(self, table):
            self.seen.extend(table["weight"])

        def predict(self, table):
            return np.full(len(table), sum(self.seen) / len(self.seen))

    return fold_errors(Mean, folds)


_tables = [pd.DataFrame({"weight": weights}) for weights in ([1.0, 3.0, 5.0], [10.0, 8.0, 2.0], [0.0, 20.0])]
_got = _errors([(_tables[0], _tables[1]), (_tables[2], _tables[0])])
assert len(_got) == 2, ulab.say(zh="每一折一个数，放在列表里。", en="One number for each fold, in a list.")
assert not np.isclose(_got[0], 4 / 3), ulab.say(
    zh="这是训练集上的误差：该考的是没见过的 test。", en="That is the error on the training set: test on rows never seen."
)
assert not np.isclose(_got[0], 67 / 18), ulab.say(
    zh="模型训练时已经见过 test：只能用 train 来 fit。", en="The model saw the test rows while training: fit on train alone."
)
assert np.isclose(_got[0], 13 / 3), ulab.say(
    zh="第一折不对：差的大小（绝对值）取平均，不平方，也不让正负抵消。",
    en="The first fold is wrong: the mean of how far off, neither squared nor with plus and minus cancelling.",
)
### BEGIN HIDDEN TESTS
assert np.isclose(_got[1], 7.0), ulab.say(
    zh="第二折不对：每一折都要新造一个模型，它不能记得上一折。",
    en="The second fold is wrong: make a new model for each fold, which remembers nothing of the one before.",
)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# **先猜：** 随机分和留一年，哪一种误差更小？两种分法会选出同一个模型吗？写下来，再运行。

# %% [markdown] lang="en"
# **Guess first:** random rows or a year left out, which gives smaller errors? Will both choose the same model? Write it down, then run the cell.

# %%
random_errors = {name: fold_errors(model, random_folds(table)) for name, model in MODELS.items()}
year_errors = {name: fold_errors(model, year_folds(table)) for name, model in MODELS.items()}
scores = pd.DataFrame(
    {
        ulab.say(zh="随机分", en="random rows"): {name: np.mean(errors) for name, errors in random_errors.items()},
        ulab.say(zh="留一年", en="a year left out"): {name: np.mean(errors) for name, errors in year_errors.items()},
    }
)
scores.plot.bar(rot=0, figsize=(6, 3.2))
plt.ylabel(ulab.say(zh="平均绝对误差（克）", en="mean absolute error (g)"))
plt.show()
print(scores.round(2))
print(pd.DataFrame(year_errors, index=YEARS).round(2))

# %% [markdown] lang="zh"
# ## 6 选哪个模型（2 分）
#
# **例子**：甲的三折是 1、1、4，乙是 2、2、1。*各取平均*：2 和 1.67。*误差小的好*：选乙，哪怕甲有两折更好。
#
# **任务 6。** 写 `best(errors)`：`errors` 是字典，名字对应各折误差的列表；返回平均误差最小的名字。
#
# <details><summary>提示 1：想法</summary>先给每个名字一个数，再找最小的那个名字。</details>
# <details><summary>提示 2：位置</summary><code>min</code> 有一个参数 <code>key</code>，说明按什么比。</details>
# <details><summary>提示 3：样子</summary><code>min(errors, key=……)</code>，key 是一个收名字、返回平均误差的函数。</details>

# %% [markdown] lang="en"
# ## 6 Which model to choose (2 points)
#
# **Example**: A has the folds 1, 1 and 4, B has 2, 2 and 1. *The mean of each*: 2 and 1.67. *Less error is better*: B, though A is better in two of the folds.
#
# **Task 6.** Write `best(errors)`: `errors` is a dict from names to lists of fold errors; return the name with the smallest mean.
#
# <details><summary>Hint 1: idea</summary>Give each name one number, then find the name with the smallest.</details>
# <details><summary>Hint 2: place</summary><code>min</code> takes a <code>key</code> that says what to compare by.</details>
# <details><summary>Hint 3: shape</summary><code>min(errors, key=…)</code>, where key takes a name and returns its mean error.</details>

# %% nbgrader={"grade_id": "best", "solution": true}
def best(errors):
    # zh: 返回平均误差最小的模型的名字
    # en: return the name of the model with the smallest mean error
    ### BEGIN SOLUTION
    return min(errors, key=lambda name: np.mean(errors[name]))
    ### END SOLUTION

# %% nbgrader={"grade_id": "best-test", "grade": true, "points": 2}
# zh: 例子里的甲和乙，还有三个模型
# en: A and B of the example, and three models
_example = {"A": [1.0, 1.0, 4.0], "B": [2.0, 2.0, 1.0]}
assert best(_example) in _example, ulab.say(zh="返回名字，不是误差。", en="Return the name, not the error.")
assert best(_example) == "B", ulab.say(
    zh="要比平均误差，小的好：例子里应当选乙（B）。", en="Compare the means, and less is better: the example chooses B."
)
### BEGIN HIDDEN TESTS
assert best({"C": [3.0, 3.0], "D": [0.0, 7.0], "E": [4.0, 4.0]}) == "C", ulab.say(
    zh="一折最好不等于平均最好：要比所有折的平均。", en="Best in one fold is not best in the mean: compare the mean of all folds."
)
assert best({"F": [2.0], "G": [1.5, 1.5]}) == "G", ulab.say(
    zh="折数不同时，总和没法比：要除以折数，也就是取平均。", en="With unlike numbers of folds sums can't be compared: take the mean."
)
### END HIDDEN TESTS

# %%
print(ulab.say(zh="随机分选出：", en="Random rows choose:"), best(random_errors))
print(ulab.say(zh="留一年选出：", en="A year left out chooses:"), best(year_errors))

# %% [markdown] lang="zh"
# ## 7 记下来，比一比
#
# 下一格把三个模型在两种分法上的成绩各记为一次运行。然后打开这节实验页面上的“我的运行”，全部选中，点“比较”：按 `mae` 排序时，先看 `split` 是 `random` 的三行，再看是 `year` 的三行，名次变了吗？

# %% [markdown] lang="en"
# ## 7 Record and compare
#
# The next cell records each model on each kind of split as a run. Then open "My runs" on this lab's page, select all and press Compare: sort by `mae` and look first at the three rows whose `split` is `random`, then at the three with `year`. Does the order change?

# %%
if not ulab.grading():
    for split, all_errors in {"random": random_errors, "year": year_errors}.items():
        for name, errors in all_errors.items():
            with ulab.track(f"{name}, {split}", model=name, split=split, folds=len(errors)) as run:
                run.log(mae=np.mean(errors), worst=max(errors))

# %% [markdown] lang="zh"
# ## 8 你的判断（4 分，由教师评分）
#
# 农场问：“明年第 60 天的叶重，你们报得有多准？该用哪个模型？”用 150–300 字回答：
#
# 1. 你报哪个误差，为什么不报另一个，用到上面至少两个数，1 分；
# 2. 随机分为什么偏爱随机森林，从泄漏说起，1 分；
# 3. 哪一年最难报？品系 F 和 P 在那一年有什么不同？这说明三年够不够，1 分；
# 4. 搬到吉林之前还缺什么数据，哪些结论大概还成立，1 分。

# %% [markdown] lang="en"
# ## 8 Your judgement (4 points, graded by your instructor)
#
# The farm asks: "How well can you forecast the leaf weight of day 60 next year, and with which model?" Answer in 100 to 200 words:
#
# 1. Which error do you report, why not the other? Use at least two numbers from above. 1 point;
# 2. why random rows favour the random forest; start from the leak. 1 point;
# 3. which year is the hardest, how did F and P differ in it, and are three years enough? 1 point;
# 4. what data is missing before this goes to Jilin, and what is likely to hold there? 1 point.

# %% [markdown] lang="zh" nbgrader={"grade_id": "judgement", "grade": true, "solution": true, "points": 4}
# ### BEGIN SOLUTION
# 评分要点，每点 1 分：
#
# 1. 报留一年的误差：曲线约 1.5 克，不报随机分的 0.9 克（森林）；明年是没见过的一年，随机分考的不是这件事。给出一个范围（各年不同）也可以。
# 2. 随机分时同年、同一天、隔壁小区的行在训练集里，森林能记住那一年那一天的高度；留一年时没有可记的，它从最好变成不如曲线。
# 3. 从打印的表里找出误差最大的一年，并且看到 1989 年 P 明显高于 F，而另外两年差别小：品系的差别随年份变。三年只等于三次抽样，不够，结论应当写成“大约”。
# 4. 缺：吉林本地的多年、多地点试验，当地品种，播期、气温和降水。大概成立：S 形、按年份检验；不能直接搬：top、middle、pace 的数值，哪个品系更好。
# ### END SOLUTION

# %% [markdown] lang="en" nbgrader={"grade_id": "judgement", "grade": true, "solution": true, "points": 4}
# ### BEGIN SOLUTION
# Rubric, 1 point each:
#
# 1. Reports the error of a year left out: about 1.5 g for the curve, and not the 0.9 g of random rows (forest); next year is a year never seen, and random rows test something else. A range over the years is fine as well.
# 2. With random rows the same day of the same year from plots next door is in the training set, so that the forest can remember how high that day was; with a year left out there is nothing to remember, and it falls from best to behind the curve.
# 3. Finds the year with the largest error in the printed table, and sees that P was far above F in 1989 but hardly in the other years: the difference of the varieties depends on the year. Three years are a sample of three, too few; the claim should say "about".
# 4. Missing: trials of several years and places in Jilin, local varieties, sowing dates, temperature and rain. Likely to hold: the S shape, testing on whole years. Not to be carried over: the values of top, middle and pace, and which variety is better.
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 再往前走
#
# **三个参数有多可靠？** 把品系 P 的小区有放回地重抽很多次（**自助法**），每次求一条曲线，看 `middle` 散开多宽。下一格**同时**求几百条：参数排成一列，你的 `logistic` 会自动广播。有 GPU 时 `ulab.device()` 会选它，条数也自动多十倍。
#
# 还可以试：重抽小区得到的范围，对没见过的一年可信吗？给每一年各求一条曲线，比一比 `middle`。再把整个小区（而不是整年）藏起来，误差更像随机分，还是更像留一年？为什么？

# %% [markdown] lang="en"
# ## Going further
#
# **How sure are the three parameters?** Draw the plots of variety P again and again with replacement (the **bootstrap**), find a curve each time, and see how widely `middle` spreads. The next cell finds hundreds **at once**: the parameters stand in columns and your `logistic` broadcasts. With a GPU `ulab.device()` chooses it, and ten times as many are drawn.
#
# Also try: can the range from drawing plots be believed of a year never seen? Fit a curve to each year and compare `middle`. Then hide whole plots instead of whole years: is the error nearer to random rows or to a year left out, and why?

# %%
if not ulab.grading():
    device = ulab.device()
    draws = 4000 if device == "cuda" else 400
    plots = [rows for _, rows in table[table["Variety"] == "P"].groupby("Plot")]
    generator = np.random.default_rng(0)
    counts = generator.multinomial(len(plots), np.full(len(plots), 1 / len(plots)), size=draws)
    shares = torch.tensor(np.repeat(counts, [len(rows) for rows in plots], axis=1), dtype=torch.float32, device=device)
    rows = pd.concat(plots)
    days = torch.tensor(rows["Time"].to_numpy(dtype="float32"), device=device)
    weights = torch.tensor(rows["weight"].to_numpy(dtype="float32"), device=device)
    parameters = torch.tensor([[20.0], [50.0], [8.0]], device=device).repeat(1, draws)[:, :, None].requires_grad_(True)
    optimizer = torch.optim.Adam([parameters], lr=0.3)
    for _ in range(400):
        optimizer.zero_grad()
        (shares * (logistic(days, *parameters) - weights) ** 2).sum().backward()
        optimizer.step()
    middles = parameters[1].detach().cpu().flatten().numpy()
    plt.figure(figsize=(6, 3))
    plt.hist(middles, bins=40, color="tab:brown")
    plt.xlabel(ulab.say(zh="长到一半的那一天", en="day when half is reached"))
    plt.ylabel(ulab.say(zh="重抽次数", en="draws"))
    plt.show()
    print(device, draws, np.quantile(middles, [0.05, 0.95]).round(1))
