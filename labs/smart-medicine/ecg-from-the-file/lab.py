# %% [markdown] lang="zh"
# # 从文件读懂一份心电图
#
# 设想一下：白城的一家乡镇卫生院给病人做了心电图，把文件传到长春请医生判读。文件不是图片，而是一个几百 KB 的 DICOM 文件：里面有电压、有单位，也有病人的身份。**从这个文件到“心率 61 次/分”，中间每一步都可能悄悄出错。**
#
# 今天打开一份真实的文件：一个人 10 秒的 12 导联心电图，来自开源软件 pydicom 的测试数据。
#
# **学完以后，你能够**
# - 从 DICOM 文件取出一个导联，换算成毫伏（mV）；
# - 抹去文件里的身份信息，并证明真的抹干净了；
# - 滤掉基线漂移和 50 Hz 工频干扰，又不把心跳挪动位置；
# - 在噪声里、在波形倒置的导联上找到每一次心跳；
# - 计算心率和心率变异性，并说清 10 秒钟的数据不能证明什么。
#
# **需要的基础**：Python 函数，NumPy 的切片和布尔索引，正弦波和频率。不需要医学知识。**时间**：约 120 分钟，运算不到半分钟。

# %% [markdown] lang="en"
# # An ECG from the file up
#
# Imagine a township clinic in Baicheng that records a patient's electrocardiogram and sends the file to Changchun to be read. The file is no picture: it is a DICOM file of a few hundred KB, with voltages, with units, and with the patient's identity. **Between that file and "61 beats per minute", each step can go wrong in silence.**
#
# Today we open a real one: 10 seconds of one person's 12-lead ECG, from the test data of the open-source package pydicom.
#
# **Afterwards you can**
# - take a lead out of a DICOM file, in millivolts (mV);
# - take the identity out of the file, and prove that it is gone;
# - filter out baseline wander and 50 Hz mains hum without moving a beat;
# - find every beat, in noise and in leads that point down;
# - compute heart rate and its variability, and say what ten seconds can't prove.
#
# **You need**: Python functions, slices and Boolean indexing in NumPy, sine waves and frequency. No medicine. **Time**: about 120 minutes, less than half of one computing.

# %% [markdown] lang="zh"
# ## 怎么做
#
# | 题 | 内容 | 分 |
# | --- | --- | --- |
# | 1 | 取出一个导联，换算成 mV | 3 |
# | 2 | 抹去身份 | 4 |
# | 3 | 不挪动心跳的滤波器 | 3 |
# | 4 | 找出每一次心跳 | 5 |
# | 5 | 心率与心率变异性 | 3 |
# | 6 | 一个漏掉的心跳 | 3 |
# | 7 | 开放题：十秒钟能证明什么 | 4 |
#
# 这是核心级实验：不少函数已经写好开头或结尾，你补上中间。从上往下运行。每题后面有测试：通过时没有输出，没通过时会说哪里不对。提交后还会跑一批看不见的测试，内容不超出题目说明。卡住了就点开“提示”，一共三步，越往后越具体。

# %% [markdown] lang="en"
# ## How it works
#
# | item | about | points |
# | --- | --- | --- |
# | 1 | take out a lead, in mV | 3 |
# | 2 | take out the identity | 4 |
# | 3 | a filter that moves no beat | 3 |
# | 4 | find every beat | 5 |
# | 5 | heart rate and its variability | 3 |
# | 6 | one beat that was missed | 3 |
# | 7 | open question: what can ten seconds prove? | 4 |
#
# This is a core lab: several functions come with their beginning or end, and you complete them. Run the cells from top to bottom. Tests follow each item: silent when they pass, and when they don't they say what is wrong. After you submit, more tests run that you can't see; they ask nothing beyond the item's text. When stuck, unfold the hints: three steps, each more concrete.

# %% nbgrader={"grade_id": "load", "locked": true}
import io
from copy import deepcopy

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pydicom
import torch
from pydicom.uid import generate_uid
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, find_peaks, resample_poly, sosfilt, sosfiltfilt
from torch import nn

import ulab

ulab.use_fonts()
MILLIVOLTS = {"uV": 0.001, "mV": 1.0}


def open_record():
    return pydicom.dcmread(ulab.load("ecg") / "waveform_ecg.dcm")


# %%
record = open_record()
groups = [
    {
        "MultiplexGroupLabel": group.MultiplexGroupLabel,
        "WaveformOriginality": group.WaveformOriginality,
        "NumberOfWaveformChannels": group.NumberOfWaveformChannels,
        "NumberOfWaveformSamples": group.NumberOfWaveformSamples,
        "SamplingFrequency": group.SamplingFrequency,
    }
    for group in record.WaveformSequence
]
pd.DataFrame(groups).T

# %% [markdown] lang="zh"
# ## 一、文件里有什么
#
# DICOM 是医院影像和波形的通用格式。每个**元素**（element）有一个名字（keyword）和一个值，有的值又是一串子记录，叫**序列**（sequence）。上面的 `WaveformSequence` 有两组波形，采样频率都是 1000 Hz：
#
# - `RHYTHM`（`ORIGINAL`）：记录下来的 10 秒；
# - `MEDIAN BEAT`（`DERIVED`）：机器把这些心跳对齐后取中位数得到的**一个**典型心跳，1.2 秒。
#
# **一个导联**（lead）是身上两处（或几处）电极之间的电压。机器存的是整数**计数**（count），换算方法写在每个导联的定义里：
#
# $$\text{电压} = \text{计数} \times \text{ChannelSensitivity} \times \text{ChannelSensitivityCorrectionFactor} + \text{ChannelBaseline}$$
#
# 结果的单位在 `ChannelSensitivityUnitsSequence[0].CodeValue`，这里是 `uV`（微伏，千分之一毫伏）。

# %% [markdown] lang="en"
# ## 1. What is in the file
#
# DICOM is the common format of hospitals' images and waveforms. Each **element** has a name (its keyword) and a value; some values are lists of records again, called **sequences**. The `WaveformSequence` above has two groups of waveforms, both sampled at 1000 Hz:
#
# - `RHYTHM` (`ORIGINAL`): the 10 seconds as recorded;
# - `MEDIAN BEAT` (`DERIVED`): **one** typical beat of 1.2 seconds, which the machine computed by aligning the beats and taking the median.
#
# A **lead** is the voltage between two (or more) electrodes on the body. The machine stores integer **counts**, and how to convert them is given in each lead's definition:
#
# $$\text{voltage} = \text{count} \times \text{ChannelSensitivity} \times \text{ChannelSensitivityCorrectionFactor} + \text{ChannelBaseline}$$
#
# The unit of the result is in `ChannelSensitivityUnitsSequence[0].CodeValue`, here `uV` (microvolts, thousandths of a millivolt).

# %% [markdown] lang="zh"
# ### 写好的例子：画出典型心跳
#
# 四个子目标，第 1 题要用同样的骨架。

# %% [markdown] lang="en"
# ### A worked example: draw the typical beat
#
# Four subgoals; item 1 needs the same skeleton.

# %%
# zh: 子目标 1：选对波形组
# en: Subgoal 1: choose the group
beats = next(group for group in record.WaveformSequence if group.WaveformOriginality == "DERIVED")

# zh: 子目标 2：把字节变成“采样 × 导联”的整数表（16 位，低位在前）
# en: Subgoal 2: turn bytes into a table of integers, samples by leads (16 bits, low byte first)
counts = np.frombuffer(beats.WaveformData, "<i2").reshape(-1, beats.NumberOfWaveformChannels)

# zh: 子目标 3：按名字找到导联在第几列
# en: Subgoal 3: find a lead's column by its name
meanings = [
    channel.ChannelSourceSequence[0].CodeMeaning for channel in beats.ChannelDefinitionSequence
]
column = meanings.index("Lead V5")
print(meanings)

# zh: 子目标 4：换算（这里图省事，直接写了数；第 1 题要从文件里读）
# en: Subgoal 4: convert (with the numbers typed in, for once; item 1 reads them from the file)
typical = counts[:, column] * 1.25 / 1000

plt.figure(figsize=(6, 2.8))
plt.plot(np.arange(len(typical)), typical)
for name, place, height in (("P", 355, 0.22), ("R", 500, 2.05), ("T", 755, 0.9)):
    plt.text(place, height, name, ha="center")
plt.ylim(-0.5, 2.4)
plt.xlabel(ulab.say(zh="时间（ms）", en="time (ms)"))
plt.ylabel(ulab.say(zh="V5 导联电压（mV）", en="voltage of lead V5 (mV)"))
plt.show()

# %% [markdown] lang="zh"
# 心房收缩前是小小的 P 波；心室收缩前是又窄又高的 **QRS 波群**，其中朝上的尖峰叫 **R 波**；最后是缓缓的 T 波。数心跳就是数 R 波。
#
# ### 第 1 题（3 分）：取出一个导联，换算成 mV
#
# 写 `read_lead(record, lead)`：`record` 是读好的 DICOM 记录，`lead` 是 `"I"`、`"II"`、`"aVR"`、`"V5"` 这样的名字。返回 `(signal, rate)`：`signal` 是一维浮点数组，单位 mV；`rate` 是采样频率，单位 Hz。
#
# - 取**记录下来的**那一组，不管它排第几；
# - 导联按**名字**找，不管它排第几列；
# - 灵敏度、修正系数、基线、单位都从这个导联的定义里读，`MILLIVOLTS` 给出每种单位合多少 mV；
# - 不改动 `record`。
#
# <details><summary>提示 1：概念</summary>
#
# 别的机器可能先存典型心跳、倒着排导联、用 mV 作单位。凡是文件里写着的，都不要靠记忆。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 看例子打印出的名字：`"Lead I (Einthoven)"` 不等于 `"Lead I"`，而 `"Lead II"` 里也含有 `"Lead I"`。按空格切开，取第二段。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 例子的四个子目标，最后一步换成 `(计数 × 灵敏度 × 修正 + 基线) × MILLIVOLTS[单位]`。`ChannelSensitivity` 等要先 `float(...)`。
# </details>

# %% [markdown] lang="en"
# Before the atria contract there is the small P wave; before the ventricles do, the narrow and tall **QRS complex**, whose upward spike is the **R wave**; then the slow T wave. To count beats is to count R waves.
#
# ### Item 1 (3 points): take out a lead, in mV
#
# Write `read_lead(record, lead)`: `record` is a DICOM record that has been read, `lead` a name such as `"I"`, `"II"`, `"aVR"` or `"V5"`. Return `(signal, rate)`: `signal` is a one-dimensional array of floats in mV, `rate` the sampling frequency in Hz.
#
# - Take the group **as recorded**, wherever it stands.
# - Find the lead **by name**, whichever column it is.
# - Read sensitivity, correction factor, baseline and unit from that lead's definition; `MILLIVOLTS` says how many mV a unit is.
# - Don't change `record`.
#
# <details><summary>Hint 1: the idea</summary>
#
# Another machine may store the typical beat first, order the leads backwards, or use mV. What the file says need not be remembered.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# See the names that the example printed: `"Lead I (Einthoven)"` isn't `"Lead I"`, and `"Lead II"` contains `"Lead I"` too. Split at spaces and take the second part.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# The example's four subgoals, with `(counts × sensitivity × correction + baseline) × MILLIVOLTS[unit]` at the end. `ChannelSensitivity` and its like need `float(...)` first.
# </details>


# %% nbgrader={"grade_id": "read", "solution": true}
def read_lead(record, lead):
    ### BEGIN SOLUTION
    group = next(g for g in record.WaveformSequence if g.WaveformOriginality == "ORIGINAL")
    channels = group.ChannelDefinitionSequence
    names = [channel.ChannelSourceSequence[0].CodeMeaning.split()[1] for channel in channels]
    column = names.index(lead)
    channel = channels[column]
    counts = np.frombuffer(group.WaveformData, "<i2").reshape(-1, len(channels))[:, column]
    scale = float(channel.ChannelSensitivity) * float(channel.ChannelSensitivityCorrectionFactor)
    unit = channel.ChannelSensitivityUnitsSequence[0].CodeValue
    signal = (counts * scale + float(channel.ChannelBaseline)) * MILLIVOLTS[unit]
    ### END SOLUTION
    return signal, float(group.SamplingFrequency)


# %% nbgrader={"grade_id": "read-test", "grade": true, "points": 3}
# zh: 换算后的电压、选对的波形组和导联；看不见的测试换了排列、灵敏度、基线和单位
# en: the voltage, the right group and lead; hidden tests change order, sensitivity, baseline and unit
@ulab.at_student
def _read(lead, changes):
    record = open_record()
    group = record.WaveformSequence[0]
    if "backwards" in changes:
        counts = np.frombuffer(group.WaveformData, "<i2").reshape(-1, 12)
        group.WaveformData = np.ascontiguousarray(counts[:, ::-1]).tobytes()
        group.ChannelDefinitionSequence = list(reversed(group.ChannelDefinitionSequence))
    for channel in group.ChannelDefinitionSequence:
        channel.ChannelSensitivity = changes.get("sensitivity", 1.25)
        channel.ChannelSensitivityCorrectionFactor = changes.get("correction", 1)
        channel.ChannelBaseline = changes.get("baseline", 0)
        channel.ChannelSensitivityUnitsSequence[0].CodeValue = changes.get("unit", "uV")
    if "other" in changes:
        channel = group.ChannelDefinitionSequence[changes["other"]]
        channel.ChannelSensitivity = 5
    group.SamplingFrequency = changes.get("rate", 1000)
    if "groups" in changes:
        record.WaveformSequence = [record.WaveformSequence[1], group]
    signal, rate = read_lead(record, lead)
    return np.asarray(signal, dtype=float), float(rate)


_order = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
_counts = np.frombuffer(open_record().WaveformSequence[0].WaveformData, "<i2").reshape(-1, 12)
_signal, _rate = _read("II", {})
assert _signal.shape != (1200,), ulab.say(
    zh="得到 1200 个采样：这是机器算出的典型心跳（MEDIAN BEAT），不是记录下来的 10 秒。",
    en="1200 samples: that is the typical beat (MEDIAN BEAT), not the 10 seconds as recorded.",
)
assert _signal.shape == (10000,), ulab.say(
    zh=f"一个导联应是 10000 个采样的一维数组，得到形状 {_signal.shape}。",
    en=f"A lead is a one-dimensional array of 10000 samples, not shape {_signal.shape}.",
)
_largest = float(np.abs(_signal).max())
assert abs(_largest - 910) > 1, ulab.say(
    zh="最大值是 910：这是计数，还没有乘灵敏度。",
    en="The largest value is 910: those are counts, not yet multiplied by the sensitivity.",
)
assert abs(_largest - 1137.5) > 1, ulab.say(
    zh="最大值是 1137.5：这是微伏（µV）。要的是毫伏，1 mV = 1000 µV。",
    en="The largest value is 1137.5: microvolts. Millivolts are asked, 1 mV = 1000 µV.",
)
assert np.allclose(_signal, _counts[:, 1] * 0.00125), ulab.say(
    zh=f"II 导联的电压不对：最大绝对值应为 1.1375 mV，得到 {_largest:.4f}。是 II 导联吗？灵敏度乘了吗？",
    en=f"Lead II is wrong: its largest size is 1.1375 mV, not {_largest:.4f}. "
    "Is it lead II? Is the sensitivity in?",
)
assert _rate == 1000, ulab.say(
    zh=f"采样频率应为 1000 Hz，得到 {_rate}。", en=f"The sampling frequency is 1000 Hz, not {_rate}."
)
### BEGIN HIDDEN TESTS
for _lead in _order:
    _signal, _ = _read(_lead, {})
    assert np.allclose(_signal, _counts[:, _order.index(_lead)] * 0.00125), ulab.say(
        zh=f"{_lead} 导联取错了列。", en=f"The column of lead {_lead} is wrong."
    )
    _signal, _ = _read(_lead, {"backwards": True})
    assert _signal.shape == (10000,) and np.allclose(
        _signal, _counts[:, _order.index(_lead)] * 0.00125
    ), ulab.say(
        zh=f"导联倒着排列时，{_lead} 取错了列：位置写死了，还是把名字的一部分当成了全部（I 也在 II 里）？",
        en=f"With the leads in reverse order the column of {_lead} is wrong: is its place fixed, "
        "or does part of a name count as all of it (II contains I)?",
    )
_signal, _ = _read("V2", {"groups": True})
assert _signal.shape == (10000,), ulab.say(
    zh="典型心跳排在前面时，取错了波形组：不要靠位置，看 WaveformOriginality。",
    en="With the typical beat stored first the group is wrong: look at WaveformOriginality, not at the place.",
)
_v5 = _counts[:, 10]
for _changes, _wanted, _what in (
    ({"sensitivity": 2.5}, _v5 * 0.0025, ulab.say(zh="灵敏度", en="sensitivity")),
    ({"correction": 0.5}, _v5 * 0.000625, ulab.say(zh="修正系数", en="correction factor")),
    ({"baseline": 400}, _v5 * 0.00125 + 0.4, ulab.say(zh="基线", en="baseline")),
    (
        {"sensitivity": 0.005, "correction": 2, "baseline": -1, "unit": "mV"},
        _v5 * 0.01 - 1,
        ulab.say(zh="单位（mV）", en="unit (mV)"),
    ),
):
    _signal, _ = _read("V5", _changes)
    assert np.allclose(_signal, _wanted), ulab.say(
        zh=f"文件里的{_what}换一个值，结果就不对了：是从文件里读的吗？",
        en=f"Wrong once the file has another {_what}: is it read from the file?",
    )
for _changes in ({"other": 3}, {"other": 0}, {"other": 3, "backwards": True}):
    _signal, _ = _read("V5", _changes)
    assert np.allclose(_signal, _v5 * 0.00125), ulab.say(
        zh="别的导联换了灵敏度，V5 的电压就变了：要读 V5 自己的定义。",
        en="Another lead's sensitivity changed the voltage of V5: read the definition of V5 itself.",
    )
_, _rate = _read("V5", {"rate": 500})
assert _rate == 500, ulab.say(
    zh="采样频率不是从文件里读的。", en="The sampling frequency isn't read from the file."
)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# 看看这个人的 10 秒。**先数后看**：图里有几次心跳？心率大约多少？

# %% [markdown] lang="en"
# See this person's 10 seconds. **Count for yourself**: how many beats, and about which heart rate?

# %%
my_guess = {"beats": None, "rate": None}

# %%
figure, axes = plt.subplots(2, 1, figsize=(10, 4), sharex=True)
for axis, lead in zip(axes, ["II", "aVR"]):
    signal, rate = read_lead(record, lead)
    axis.plot(np.arange(len(signal)) / rate, signal, lw=0.8)
    axis.set_ylabel(f"{lead} (mV)")
axes[1].set_xlabel(ulab.say(zh="时间（s）", en="time (s)"))
plt.show()

# %% [markdown] lang="zh"
# 同样的心跳，aVR 导联上是**倒着**的：这个导联从另一个方向看心脏。只会找“最高点”的程序，到 aVR 就瞎了。记住这一点，第 4 题要用。

# %% [markdown] lang="en"
# The same beats stand **upside down** in aVR: that lead looks at the heart from the other side. A program that only looks for "the highest point" is blind there. Keep that for item 4.

# %% [markdown] lang="zh"
# ## 二、文件里还有谁
#
# 电压之外，文件里还写着这是谁的心电图。下表列出常见的**直接标识**，只显示每一项有几个字符（这是真实的人，我们不打印内容）。

# %% [markdown] lang="en"
# ## 2. Who else is in the file
#
# Beside voltages the file says whose ECG it is. The table lists common **direct identifiers**, with the number of characters only: this is a real person, and we don't print the content.

# %% nbgrader={"grade_id": "identifiers", "locked": true}
IDENTIFYING = [
    "PatientName", "PatientID", "PatientBirthDate", "OtherPatientIDs", "PatientAddress",
    "AccessionNumber", "AdmissionID", "StudyID", "InstitutionName", "StationName",
    "CurrentPatientLocation", "PatientInstitutionResidence", "ReferringPhysicianName",
    "RequestingPhysician", "NameOfPhysiciansReadingStudy", "OperatorsName", "DeviceSerialNumber",
    "InstanceCreationDate", "InstanceCreationTime", "StudyDate", "StudyTime", "ContentDate",
    "ContentTime", "AcquisitionDateTime",
]  # fmt: skip
UIDS = ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"]


def as_bytes(record):
    buffer = io.BytesIO()
    record.save_as(buffer)
    return buffer.getvalue()


# %%
characters = {keyword: len(str(record.get(keyword) or "")) for keyword in IDENTIFYING}
private = sum(element.tag.is_private for element in record)
print(ulab.say(zh="厂商私有元素：", en="private elements of the manufacturer:"), private)
study_date = str(record.StudyDate).encode()
print(
    ulab.say(zh="检查日期在文件字节里出现的次数：", en="times the study date occurs in the bytes:"),
    as_bytes(record).count(study_date),
)
pd.Series(characters).loc[lambda lengths: lengths > 0].to_frame(
    ulab.say(zh="字符数", en="characters")
).T

# %% [markdown] lang="zh"
# 姓名一栏早已换成英文 Anonymous（9 个字母），可是编号、出生日期、医院、就诊号都还在。“姓名去掉了”离“认不出是谁”还很远。
#
# 检查日期出现了 8 次，而上表里含日期的元素没有这么多：它还藏在 **UID**（全球唯一编号）里，连文件开头的文件元信息（`file_meta`）里也有一份。
#
# ### 第 2 题（4 分）：抹去身份
#
# 补全 `deidentify(record)`，返回去标识后的**副本**：
#
# - `IDENTIFYING` 里的元素清空（或删除），**不管它在最外层，还是在某个序列里面**；
# - 厂商的私有元素全部删除（谁也不知道里面写了什么）；
# - `UIDS` 里的三个编号换成新的、合法的（`generate_uid()`），副本的 `file_meta.MediaStorageSOPInstanceUID` 与新的 `SOPInstanceUID` 相同；
# - 波形、导联定义、年龄、性别、机器的注释等其他内容一概不动；
# - **传进来的 `record` 不变**。
#
# <details><summary>提示 1：概念</summary>
#
# 副本要一直复制到最里层，否则改副本就是改原件。验收的办法很朴素：把副本变成字节，搜索原来的编号和日期。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `deepcopy`；`record.iterall()` 走遍每一层的元素，每个有 `element.keyword` 和 `element.value`；`record.remove_private_tags()`。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 复制 → `for element in copy.iterall():` 名字在表里就清空 → 删私有元素 → 对 `UIDS` 逐个换新（可用 `setattr(copy, 名字, 新值)`）→ 最后让 `file_meta` 里的那份一致。
# </details>

# %% [markdown] lang="en"
# The name was replaced by the nine letters of "Anonymous" long ago; number, date of birth, hospital and admission are all still there. "The name is gone" is far from "nobody can tell".
#
# The study date occurs 8 times, more often than the table has elements with a date: it also hides in **UIDs** (globally unique numbers), one of them also in the file meta information at its start, `file_meta`.
#
# ### Item 2 (4 points): take out the identity
#
# Complete `deidentify(record)`, which returns a de-identified **copy**:
#
# - elements of `IDENTIFYING` are emptied (or removed), **at the top or inside a sequence**;
# - all private elements of the manufacturer are removed (nobody knows what is in them);
# - the three numbers of `UIDS` become new and valid ones (`generate_uid()`), and the copy's `file_meta.MediaStorageSOPInstanceUID` equals the new `SOPInstanceUID`;
# - everything else stays: waveforms, leads' definitions, age, sex, the machine's annotations;
# - **the `record` passed in is not changed**.
#
# <details><summary>Hint 1: the idea</summary>
#
# The copy must go all the way down, or whoever edits it edits the original. The proof is plain: turn the copy into bytes and search for the old number and dates.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `deepcopy`; `record.iterall()` walks the elements of every level, each with `element.keyword` and `element.value`; `record.remove_private_tags()`.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Copy → `for element in copy.iterall():` empty it if its name is listed → remove private elements → give each of `UIDS` a new value (`setattr(copy, name, value)`) → make the one in `file_meta` agree.
# </details>


# %% nbgrader={"grade_id": "identity", "solution": true}
def deidentify(record):
    ### BEGIN SOLUTION
    copy = deepcopy(record)
    for element in copy.iterall():
        if element.keyword in IDENTIFYING:
            element.value = None
    copy.remove_private_tags()
    for keyword in UIDS:
        setattr(copy, keyword, generate_uid())
    copy.file_meta.MediaStorageSOPInstanceUID = copy.SOPInstanceUID
    ### END SOLUTION
    return copy


# %% nbgrader={"grade_id": "identity-test", "grade": true, "points": 4}
# zh: 标识、私有元素和 UID；波形和其他内容没变；原件没变；看不见的测试还看序列里面和文件的字节
# en: identifiers, private elements and UIDs; the rest and the original unchanged; hidden tests look into sequences and bytes
@ulab.at_student
def _copied(deep):
    record = open_record()
    if deep:
        record.AcquisitionContextSequence[0].PatientID = record.PatientID
        record.WaveformSequence[1].ChannelDefinitionSequence[3].ContentDate = record.StudyDate
        record.WaveformAnnotationSequence[0].add_new(0x14550010, "LO", "maker")
        record.WaveformAnnotationSequence[0].add_new(0x14551000, "LO", record.AdmissionID)
    original = as_bytes(record)
    copy = deidentify(record)
    left, private = {}, 0
    for element in copy.iterall():
        private += element.tag.is_private
        if element.keyword in IDENTIFYING and element.value not in (None, ""):
            left[element.keyword] = len(str(element.value))
    meta = copy.file_meta.get("MediaStorageSOPInstanceUID", "")
    kept = ["SOPClassUID", "Modality", "PatientSex", "PatientAge", "Manufacturer", "StudyDescription"]
    kept = {name: str(copy.get(name)) for name in kept}
    kept["waveforms"] = [bytes(group.WaveformData) for group in copy.get("WaveformSequence", [])]
    kept["definitions"] = [
        [channel.ChannelSourceSequence[0].CodeMeaning for channel in group.ChannelDefinitionSequence]
        for group in copy.get("WaveformSequence", [])
    ]
    kept["annotations"] = len(copy.get("WaveformAnnotationSequence", []))
    return {
        "left": left,
        "private": int(private),
        "uids": [str(copy.get(name, "")) for name in UIDS],
        "valid": [pydicom.uid.UID(str(copy.get(name, ""))).is_valid for name in UIDS],
        "meta": str(meta),
        "kept": kept,
        "untouched": as_bytes(record) == original,
        "saved": as_bytes(copy),
    }


_got = _copied(False)
assert _got["untouched"], ulab.say(
    zh="传进来的记录被改动了：浅复制的副本和原件共用里面的元素。用 deepcopy。",
    en="The record passed in was changed: a shallow copy shares its elements with the original. Use deepcopy.",
)
assert not _got["left"], ulab.say(
    zh=f"这些标识还在：{'、'.join(sorted(_got['left']))}。只去掉姓名是不够的。",
    en=f"Still there: {', '.join(sorted(_got['left']))}. Taking out the name is not enough.",
)
assert _got["private"] == 0, ulab.say(
    zh=f"还有 {_got['private']} 个厂商私有元素。谁也不知道里面有什么，全部删掉。",
    en=f"{_got['private']} private elements are left. Nobody knows what they hold: remove them.",
)
assert _got["kept"]["annotations"] == 77 and len(_got["kept"]["waveforms"]) == 2, ulab.say(
    zh="波形或机器的注释少了。只清空该清空的，研究还要用别的内容。",
    en="Waveforms or annotations are gone. Empty only what must go; research needs the rest.",
)
### BEGIN HIDDEN TESTS
_record = open_record()
_old = [str(_record.get(name)) for name in UIDS]
for _name, _new, _valid in zip(UIDS, _got["uids"], _got["valid"]):
    assert _new not in (*_old, "", "None") and _valid, ulab.say(
        zh=f"{_name} 应换成一个新的、合法的 UID：旧的里面有检查日期，空的又不合格式。",
        en=f"{_name} should be a new and valid UID: the old one holds the study date, and none at all breaks the format.",
    )
assert len(set(_got["uids"])) == 3, ulab.say(
    zh="三个 UID 应当各不相同。", en="The three UIDs should differ from each other."
)
assert _got["meta"] == _got["uids"][0], ulab.say(
    zh="file_meta.MediaStorageSOPInstanceUID 与新的 SOPInstanceUID 不同：旧编号还留在文件开头。",
    en="file_meta.MediaStorageSOPInstanceUID differs from the new SOPInstanceUID: the old number is still in the file meta information.",
)
for _name in ("SOPClassUID", "Modality", "PatientSex", "PatientAge", "Manufacturer", "StudyDescription"):
    assert _got["kept"][_name] == str(_record.get(_name)), ulab.say(
        zh=f"{_name} 不在该清空的名单里，却变了。", en=f"{_name} is not on the list and has changed."
    )
for _group, _waveform, _meanings in zip(
    _record.WaveformSequence, _got["kept"]["waveforms"], _got["kept"]["definitions"]
):
    assert _waveform == bytes(_group.WaveformData) and len(_meanings) == 12, ulab.say(
        zh="波形的字节或导联定义变了。", en="The waveforms' bytes or the leads' definitions changed."
    )
_deep = _copied(True)
assert not _deep["left"] and _deep["private"] == 0, ulab.say(
    zh="标识藏在序列里面时没有清掉。iterall() 会走遍每一层。",
    en="Identifiers inside a sequence survived. iterall() walks every level.",
)
assert _deep["untouched"], ulab.say(
    zh="序列里面的原件被改动了：复制得不够深。",
    en="The original was changed inside a sequence: the copy isn't deep enough.",
)
_names = ["PatientID", "PatientBirthDate", "AccessionNumber", "AdmissionID", "InstitutionName", "StudyDate"]
for _name in _names:
    for _copy in (_got, _deep):
        _saved = _copy["saved"]
        for _uid in _copy["uids"]:
            _saved = _saved.replace(_uid.encode(), b"")  # its random digits may be the old ones by chance
        assert str(_record.get(_name)).encode() not in _saved, ulab.say(
            zh=f"在副本的字节里还能搜到原来的 {_name}。",
            en=f"The old {_name} can still be found in the copy's bytes.",
        )
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# 验收：在副本的字节里再搜一遍。注意，去标识**不等于匿名**：心电图本身就像笔迹，加上年龄和性别，有心人仍可能认出来。正式的做法见 DICOM 标准 PS3.15 附录 E，要处理几百种元素。

# %% [markdown] lang="en"
# The proof: search the copy's bytes once more. Mind that de-identified is **not anonymous**: an ECG is a little like handwriting, and with age and sex somebody may still be recognised. The full procedure is in Annex E of DICOM PS3.15 and covers hundreds of elements.

# %%
copy = deidentify(record)
found = {
    keyword: as_bytes(copy).count(str(record.get(keyword)).encode())
    for keyword in ["PatientID", "PatientBirthDate", "AccessionNumber", "StudyDate"]
}
pd.Series(found, name=ulab.say(zh="出现次数", en="occurrences")).to_frame().T

# %% [markdown] lang="zh"
# ## 三、先有基线：超过一条线就是心跳？
#
# 要评价“找心跳”的程序，先要知道正确答案。机器自己标了这 10 秒里的 R 波位置（注释里的 Fiducial Point），可是 10 次心跳太少。所以我们**合成**更长的记录：取文件里的典型心跳，按自己定的时刻一个个摆好（于是答案已知），再加上三种常见的干扰：
#
# - **基线漂移**：呼吸和电极移动，0.3 Hz，幅度 0.5 mV；
# - **工频干扰**：来自电网，我国是 50 Hz，幅度 0.15 mV；
# - **噪声**：肌肉和电路，标准差 0.05 mV。
#
# 心跳是真的，节律和干扰是我们造的：凡是这样的数据，都要写明“合成”。
#
# 打分用 **F1**：找到的位置与真实位置相差不超过 50 ms 就算配上，**一个真实心跳只配一次**；
# $\text{F1}=2\times\text{配上的}/(\text{找到的}+\text{真实的})$。漏掉和多找都会降低它。

# %% [markdown] lang="en"
# ## 3. Baseline first: above a line is a beat?
#
# To judge a program that finds beats, the answer must be known. The machine marked the R waves of these 10 seconds itself (annotations called Fiducial Point), but 10 beats are few. So we make longer, **synthetic** records: take the typical beat of the file, put it at moments of our choice (so the answer is known), and add three common disturbances:
#
# - **baseline wander** from breathing and moving electrodes: 0.3 Hz, 0.5 mV;
# - **mains hum** from the power grid: 50 Hz in China, 0.15 mV;
# - **noise** of muscles and circuits: a standard deviation of 0.05 mV.
#
# The beats are real; rhythm and disturbance are ours. Always say "synthetic" of such data.
#
# The score is **F1**: a position found within 50 ms of a true one matches it, and **each true beat is matched once**;
# $\text{F1}=2\times\text{matched}/(\text{found}+\text{true})$. Missing beats and finding too many both lower it.

# %% nbgrader={"grade_id": "compose", "locked": true}
LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
# zh: 典型心跳：R 波前 300 ms 到后 500 ms，两端渐渐归零，单位 mV
# en: the typical beat from 300 ms before R to 500 ms after, fading out at both ends, in mV
FADE = np.minimum(1, np.minimum(np.arange(800), np.arange(800)[::-1]) / 80)[:, None]
BEAT = open_record().waveform_array(1)[201:1001] / 1000 * FADE
DEVICE = np.unique(
    [
        note.ReferencedSamplePositions
        for note in open_record().WaveformAnnotationSequence
        if "ReferencedSamplePositions" in note
        and note.ConceptNameCodeSequence[0].CodeMeaning == "Fiducial Point"
        and note.AnnotationGroupNumber >= 100
    ]
)


def rhythm(seed, seconds=20, bpm=75, spread=0.05):
    """R peaks' times (s) of a made rhythm."""
    random = np.random.default_rng(seed)
    intervals = 60 / bpm * (1 + spread * random.normal(size=int(seconds * bpm / 30)))
    times = 0.6 + np.cumsum(intervals)
    return times[times < seconds - 0.6]


def compose(lead, times, seconds=20, rate=1000):
    """The typical beat of a lead at the given times, in mV."""
    made = np.zeros(int(seconds * 1000))
    for time in times:
        start = round(time * 1000) - 300
        made[start : start + 800] += BEAT[: len(made) - start, LEADS.index(lead)]
    return made if rate == 1000 else resample_poly(made, rate, 1000)


def disturb(signal, rate, seed, wander=0.5, hum=0.15, noise=0.05):
    """Add baseline wander, mains hum and noise, in mV."""
    random = np.random.default_rng(seed)
    time = np.arange(len(signal)) / rate
    first, second = random.uniform(0, 2 * np.pi, 2)
    slow = wander * np.sin(2 * np.pi * 0.3 * time + first)
    mains = hum * np.sin(2 * np.pi * 50 * time + second)
    return signal + slow + mains + noise * random.normal(size=len(signal))


def f1(found, times, rate, tolerance=0.05):
    """F1 of positions found (in samples) against true times (in seconds)."""
    free, matched = list(np.asarray(found) / rate), 0
    for time in times:
        nearest = min(free, key=lambda place: abs(place - time), default=None)
        if nearest is not None and abs(nearest - time) <= tolerance:
            free.remove(nearest)
            matched += 1
    return 2 * matched / max(1, len(found) + len(times))


# %%
def above_half(signal, rate):
    return find_peaks(signal, height=0.5 * signal.max())[0]


def above_half_then_rest(signal, rate):
    return find_peaks(signal, height=0.5 * signal.max(), distance=0.3 * rate)[0]


lead_ii, rate = read_lead(record, "II")
print(
    ulab.say(zh="干净的 II 导联，F1：", en="clean lead II, F1:"),
    f1(above_half(lead_ii, rate), DEVICE / 1000, rate),
)

# %% [markdown] lang="zh"
# 第一个基线：比最大值的一半高的局部最高点，都算心跳。干净的 II 导联上满分。第二个基线再加一条：两次心跳至少相隔 0.3 秒（**不应期**，心脏刚跳完不会马上再跳）。
#
# **先猜后算**：加上干扰以后，两个基线在 II 和 aVR 上的 F1 各是多少？

# %% [markdown] lang="en"
# The first baseline: each local maximum above half the largest value is a beat. On clean lead II it is perfect. The second adds a rule: beats are at least 0.3 s apart (the **refractory period**: a heart that has just beaten can't at once beat again).
#
# **Predict, then run**: with the disturbances, which F1 do the two baselines reach on II and on aVR?

# %%
my_guess = {"II, half": None, "II, half and rest": None, "aVR, half and rest": None}


# %%
def mean_f1(detector, lead, seeds=range(5), rate=1000):
    values = []
    for seed in seeds:
        times = rhythm(seed)
        signal = disturb(compose(lead, times, rate=rate), rate, seed)
        values.append(f1(detector(signal, rate), times, rate))
    return float(np.mean(values))


SHOWN = ["II", "V5", "aVR", "V3"]
detectors = {"half": above_half, "half and rest": above_half_then_rest}
results = {
    name: {lead: mean_f1(detector, lead) for lead in SHOWN} for name, detector in detectors.items()
}
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
pd.DataFrame(results).T.round(2)

# %%
times = rhythm(0)
noisy = disturb(compose("II", times), 1000, 0)
seconds = np.arange(len(noisy)) / 1000
places = above_half(noisy, 1000)
plt.figure(figsize=(10, 2.8))
plt.plot(seconds, noisy, lw=0.6, label=ulab.say(zh="有干扰的信号", en="disturbed signal"))
plt.plot(places / 1000, noisy[places], "r.", ms=3, label=ulab.say(zh="基线找到的", en="found"))
plt.plot(times, np.full(len(times), 2.2), "kv", ms=5, label=ulab.say(zh="真实心跳", en="true beats"))
plt.xlim(0, 8)
plt.xlabel(ulab.say(zh="时间（s）", en="time (s)"))
plt.ylabel(ulab.say(zh="II 导联，合成（mV）", en="lead II, synthetic (mV)"))
plt.legend(ncol=3, loc="upper center", bbox_to_anchor=(0.5, 1.2), frameon=False)
plt.show()

# %% [markdown] lang="zh"
# 工频让一个 R 波变成好几个“最高点”；漂移把有的 R 波压到线下，又把没有心跳的地方抬到线上；在倒置的导联上，线根本碰不到 R 波。看频率就有办法：漂移在 1 Hz 以下，工频在 50 Hz，而 QRS 波群的能量大半在 5–20 Hz。

# %% [markdown] lang="en"
# Mains hum turns one R wave into several maxima; wander pushes some R waves below the line and lifts empty stretches above it; in inverted leads the line never meets R. Frequency is the way out: wander is below 1 Hz, the mains at 50 Hz, and most of the energy of a QRS complex lies in 5–20 Hz.

# %% [markdown] lang="zh"
# ## 四、不挪动心跳的滤波器
#
# 普通的（因果）滤波器只看过去，输出总会**晚**一点，而且各频率晚得不一样。事后分析不必如此：正着滤一遍、倒着再滤一遍，两次的延迟互相抵消，叫**零相位**滤波。
#
# ### 第 3 题（3 分）：不挪动心跳的滤波器
#
# 补全 `bandpass(signal, rate, low=5, high=20, order=3)`：带通滤波，保留 `low` 到 `high`（Hz），`order` 是滤波器的阶数，返回同样长的数组。
#
# - 用默认值时，1 Hz 和 50 Hz 至少衰减到十分之一（20 dB），10 Hz 几乎不变（±10%）；
# - 不管采样频率是 1000、500 还是 250 Hz；
# - 波峰不移动位置。
#
# <details><summary>提示 1：概念</summary>
#
# 截止频率要么按 Hz 给出并告诉函数采样频率，要么除以奈奎斯特频率（采样频率的**一半**）。两者混用，通带就不是你想要的。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `butter` 的参数 `btype`、`fs`、`output`；已导入的 `sosfilt` 与 `sosfiltfilt`，哪一个是零相位的？
# </details>
# <details><summary>提示 3：形状</summary>
#
# 两行：`butter(order, [低, 高], …, output="sos")` 设计，再用零相位的那个函数滤波。
# </details>

# %% [markdown] lang="en"
# ## 4. A filter that moves no beat
#
# An ordinary (causal) filter sees only the past, so its output is always **late**, and by a different time at each frequency. Afterwards there is no need for that: filter forwards, then backwards, and the two delays cancel. That is **zero-phase** filtering.
#
# ### Item 3 (3 points): a filter that moves no beat
#
# Complete `bandpass(signal, rate, low=5, high=20, order=3)`: a band-pass that keeps `low` to `high` (Hz), of the given order, and returns an array of the same length.
#
# - With the defaults, 1 Hz and 50 Hz shrink to a tenth at most (20 dB), and 10 Hz stays nearly as it is (±10 %);
# - whether the sampling frequency is 1000, 500 or 250 Hz;
# - peaks don't move.
#
# <details><summary>Hint 1: the idea</summary>
#
# Either give the cut-offs in Hz and tell the function the sampling frequency, or divide them by the Nyquist frequency (**half** the sampling frequency). Mix the two and you get another band.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `btype`, `fs` and `output` of `butter`; of `sosfilt` and `sosfiltfilt`, both imported, which one is zero-phase?
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Two lines: design by `butter(order, [low, high], …, output="sos")`, then filter by the zero-phase function.
# </details>


# %% nbgrader={"grade_id": "bandpass", "solution": true}
def bandpass(signal, rate, low=5, high=20, order=3):
    ### BEGIN SOLUTION
    sections = butter(order, [low, high], btype="bandpass", fs=rate, output="sos")
    filtered = sosfiltfilt(sections, signal)
    ### END SOLUTION
    return filtered


# %% nbgrader={"grade_id": "bandpass-test", "grade": true, "points": 3}
# zh: 1、10、50 Hz 的增益和波峰的位置；看不见的测试换采样频率和通带
# en: the gain at 1, 10 and 50 Hz and the place of a peak; hidden tests change sampling frequency and band
def _gain(frequency, rate, *band):
    time = np.arange(20 * rate) / rate
    wave = np.sin(2 * np.pi * frequency * time)
    out = np.asarray(bandpass(wave, rate, *band), dtype=float)
    assert out.shape == wave.shape, ulab.say(
        zh=f"输入 {wave.shape}，输出却是 {out.shape}：长度应当相同。",
        en=f"The input has shape {wave.shape}, the output {out.shape}: they should agree.",
    )
    middle = slice(5 * rate, 15 * rate)
    return float(np.sqrt((out[middle] ** 2).mean() / (wave[middle] ** 2).mean()))


def _shift(rate, *band):
    time = np.arange(8 * rate) / rate
    pulse = np.exp(-0.5 * ((time - 4) / 0.02) ** 2)
    out = np.asarray(bandpass(pulse, rate, *band), dtype=float)
    return 1000 * (int(np.argmax(out)) / rate - 4)


_kept = _gain(10, 1000)
assert abs(_kept - 0.5) > 0.05, ulab.say(
    zh="10 Hz 只剩一半：通带成了 2.5–10 Hz。截止频率除以了采样频率，应当除以它的一半，或者写 fs=rate。",
    en="10 Hz is halved: the band became 2.5–10 Hz. The cut-offs were divided by the sampling frequency; "
    "divide by half of it, or write fs=rate.",
)
assert 0.9 <= _kept <= 1.1, ulab.say(
    zh=f"10 Hz 的幅度变成了 {_kept:.2f} 倍，应当几乎不变。通带是 5–20 Hz 吗？",
    en=f"10 Hz is multiplied by {_kept:.2f} and should hardly change. Is the band 5–20 Hz?",
)
for _frequency in (1, 50):
    _left = _gain(_frequency, 1000)
    assert _left <= 0.1, ulab.say(
        zh=f"{_frequency} Hz 还剩 {_left:.2f} 倍，应当不超过 0.1。是带通吗？",
        en=f"{_frequency} Hz is only cut to {_left:.2f}, at most 0.1 is asked. Is it a band-pass?",
    )
_late = _shift(1000)
assert abs(_late) <= 2, ulab.say(
    zh=f"波峰移动了 {_late:.0f} ms。只正着滤一遍会有延迟，要零相位。",
    en=f"The peak moved by {_late:.0f} ms. Filtering forwards only is late; make it zero-phase.",
)
### BEGIN HIDDEN TESTS
for _rate in (250, 500, 2000):
    assert 0.9 <= _gain(10, _rate) <= 1.1 and _gain(1, _rate) <= 0.1 and _gain(50, _rate) <= 0.1, (
        ulab.say(
            zh=f"采样频率是 {_rate} Hz 时，通带不对：用到 rate 了吗？",
            en=f"At {_rate} Hz the band is wrong: is rate used?",
        )
    )
    assert abs(_shift(_rate)) <= 1000 / _rate, ulab.say(
        zh=f"采样频率是 {_rate} Hz 时，波峰移动了。", en=f"At {_rate} Hz the peak moved."
    )
for _low, _high in ((0.5, 40), (20, 80)):
    _middle = float(np.sqrt(_low * _high))
    assert 0.85 <= _gain(_middle, 1000, _low, _high) <= 1.1, ulab.say(
        zh=f"通带换成 {_low}–{_high} Hz 后，中间的频率被改变了：用到 low 和 high 了吗？",
        en=f"With the band {_low}–{_high} Hz its middle is changed: are low and high used?",
    )
    assert _gain(_high * 3, 1000, _low, _high) <= 0.1, ulab.say(
        zh=f"通带换成 {_low}–{_high} Hz 后，高于它的频率没有滤掉：用到 high 了吗？",
        en=f"With the band {_low}–{_high} Hz what is above it stays: is high used?",
    )
assert _gain(5, 1000, 20, 80) <= 0.1 and _gain(4, 1000, 1, 40) >= 0.9, ulab.say(
    zh="通带换了以后，下限不对：用到 low 了吗？", en="The lower limit is wrong with another band: is low used?"
)
_x = np.random.default_rng(3).normal(size=6000)
_there, _back = np.asarray(bandpass(_x, 1000)), np.asarray(bandpass(_x[::-1].copy(), 1000))[::-1]
assert np.abs(_there - _back)[1000:-1000].max() < 1e-3, ulab.say(
    zh="把信号倒过来，结果不是原来的倒过来：滤波不是零相位的。",
    en="The reversed signal doesn't give the reversed result: the filter isn't zero-phase.",
)
_again = np.asarray(bandpass(7 * _x + 5, 1000))
assert np.abs(_again - 7 * _there)[1000:-1000].max() < 0.1, ulab.say(
    zh="信号放大 7 倍、整体抬高，滤波结果不是正好 7 倍。",
    en="With the signal 7 times as large and lifted, the result isn't 7 times as large.",
)
### END HIDDEN TESTS

# %% [markdown] lang="zh"
# 零相位值多少？下面用同一个滤波器，只正着滤一遍。**先猜**：偏离零最远的那一点（我们要拿它当 R 波）会晚多少毫秒？（成年人 QRS 波群的时长一般在 120 ms 以内。）

# %% [markdown] lang="en"
# What is zero-phase worth? Below, the same filter forwards only. **Guess first**: by how many milliseconds is the point farthest from zero late, the one that we want to take for R? (An adult's QRS complex usually lasts no more than 120 ms.)

# %%
my_guess = None

# %%
sections = butter(3, [5, 20], btype="bandpass", fs=1000, output="sos")
causal, zero_phase = sosfilt(sections, lead_ii), bandpass(lead_ii, 1000)
delays = [int(np.argmax(np.abs(causal[r - 50 : r + 150]))) - 50 for r in DEVICE]
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
print(ulab.say(zh="只正着滤，最远的一点晚了（ms）：", en="forwards only, the farthest point is late by (ms):"), delays)
window = slice(1300, 1900)
plt.figure(figsize=(6, 2.8))
for values, label in (
    (lead_ii, ulab.say(zh="原信号", en="signal")),
    (zero_phase, ulab.say(zh="零相位", en="zero-phase")),
    (causal, ulab.say(zh="只正着滤", en="forwards only")),
):
    plt.plot(np.arange(1300, 1900), values[window], label=label)
plt.xlabel(ulab.say(zh="时间（ms）", en="time (ms)"))
plt.ylabel(ulab.say(zh="II 导联（mV）", en="lead II (mV)"))
plt.legend(frameon=False)
plt.show()

# %% [markdown] lang="zh"
# 晚了约 40 ms，差不多是半个 QRS 波群：最大的已经不是 R，而是后面的回摆。零相位的那条就在原处。代价也看得见：滤波后 QRS 变矮、变形，旁边多了小波。**用来找位置可以，用来量形状不行**：医生看的 ST 段在 5 Hz 以下，已经被滤没了。

# %% [markdown] lang="en"
# About 40 ms late, half a QRS complex: the largest swing is no longer R but the rebound after it. The zero-phase curve stays in place. The price shows too: QRS becomes lower and changes shape, with ripples beside it. **Good for finding places, not for measuring shapes**: the ST segment that physicians read lies below 5 Hz and is gone.

# %% [markdown] lang="zh"
# ## 五、找出每一次心跳
#
# ### 第 4 题（5 分）：找出每一次心跳
#
# 补全 `r_peaks(signal, rate, window=0.12, refractory=0.3)`，返回 R 波位置（采样序号，从小到大的整数数组）。第一步和最后一步已经写好，中间补上两步：
#
# 1. 滤波（已写好）；
# 2. **能量**：把滤波结果平方（倒置的波也变成正的），再在 `window` 秒的窗里取滑动平均，记作 `energy`；
# 3. **定阈值**：找 `energy` 的峰，高于阈值，相邻至少 `refractory` 秒，记作 `centres`；
# 4. 在每个中心附近找到偏离零最远的一点（已写好）。
#
# 合成信号（20–30 秒、40–150 次/分）上要求：F1 不低于 0.95；找到的位置与真实位置之差，中位数不超过 20 ms。不论导联朝上朝下、信号放大还是缩小、整体偏移多少、采样频率是 250 到 1000 Hz。还有：**电极被碰一下产生的一个大尖峰，不能让别的心跳都找不到**。也可以不用这个骨架，从头写你自己的。
#
# <details><summary>提示 1：概念</summary>
#
# 阈值要跟着信号走。用最大值的几分之一，遇到一个大尖峰就全军覆没；换一个不怕个别大值的统计量。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 滑动平均：`uniform_filter1d(…, width)`。`find_peaks` 的 `height` 和 `distance`（单位是采样数）。`np.percentile(energy, 98)`：98% 的时刻都比它低。
# </details>
# <details><summary>提示 3：形状</summary>
#
# `energy = uniform_filter1d(平方, width)`；`centres, _ = find_peaks(energy, height=0.3 * 高百分位数, distance=秒数换成采样数)`。
# </details>

# %% [markdown] lang="en"
# ## 5. Find every beat
#
# ### Item 4 (5 points): find every beat
#
# Complete `r_peaks(signal, rate, window=0.12, refractory=0.3)`, which returns the positions of the R waves (sample numbers, ascending integers). The first and last steps are written; add two between them:
#
# 1. filter (written);
# 2. **energy**: square the filtered signal (inverted waves become positive too) and take its moving average over `window` seconds, as `energy`;
# 3. **threshold**: find peaks of `energy` above a threshold and at least `refractory` seconds apart, as `centres`;
# 4. near each centre, find the point farthest from zero (written).
#
# Asked on synthetic signals (20–30 s, 40–150 beats/min): F1 at least 0.95, and a median distance to the true positions of at most 20 ms; whether the lead points up or down, the signal is enlarged, shrunk or shifted, and at 250 to 1000 Hz. And **one large spike from a knocked electrode must not hide all other beats**. You may also leave this skeleton and write your own.
#
# <details><summary>Hint 1: the idea</summary>
#
# The threshold must follow the signal. A fraction of the maximum falls to a single spike; take a statistic that a few large values don't move.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# Moving average: `uniform_filter1d(…, width)`. `height` and `distance` (in samples) of `find_peaks`. `np.percentile(energy, 98)`: 98 % of all moments are below it.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# `energy = uniform_filter1d(squares, width)`; `centres, _ = find_peaks(energy, height=0.3 * high percentile, distance=seconds in samples)`.
# </details>


# %% nbgrader={"grade_id": "peaks", "solution": true}
def r_peaks(signal, rate, window=0.12, refractory=0.3):
    # zh: 第 1 步（已写好）：只留 QRS 所在的频段
    # en: Step 1 (written): keep the band of QRS
    filtered = bandpass(signal, rate)
    width = round(window * rate)
    # zh: 第 2、3 步：能量和阈值
    # en: Steps 2 and 3: energy and threshold
    ### BEGIN SOLUTION
    energy = uniform_filter1d(filtered**2, width)
    centres, _ = find_peaks(
        energy, height=0.3 * np.percentile(energy, 98), distance=refractory * rate
    )
    ### END SOLUTION
    # zh: 第 4 步（已写好）：每个中心附近，偏离零最远的一点
    # en: Step 4 (written): near each centre, the point farthest from zero
    starts = [max(0, centre - width // 2) for centre in centres]
    return np.array(
        [start + np.argmax(np.abs(filtered[start : start + width])) for start in starts], dtype=int
    )


# %% nbgrader={"grade_id": "peaks-test", "grade": true, "points": 5}
# zh: 真实的 II 导联和有干扰的 II、aVR；看不见的测试换导联、噪声、幅度、采样频率、心率，还有大尖峰
# en: the real lead II, and II and aVR disturbed; hidden tests change lead, noise, size, sampling frequency, rate, and add a spike
def _found(signal, rate):
    places = np.asarray(r_peaks(signal, rate))
    assert places.ndim == 1 and (len(places) == 0 or places.dtype.kind in "iu"), ulab.say(
        zh="应返回一维的整数数组（采样序号）。", en="Return a one-dimensional array of integers (sample numbers)."
    )
    return places


def _strip(lead, seed, rate=1000, bpm=75, seconds=20, **disturbance):
    times = rhythm(seed, seconds, bpm)
    return disturb(compose(lead, times, seconds, rate), rate, seed, **disturbance), times


_signal = open_record().waveform_array(0)[:, 1] / 1000
_places = _found(_signal, 1000)
assert len(_places) == 10, ulab.say(
    zh=f"真实的 II 导联有 10 次心跳，找到 {len(_places)} 次。"
    + ("阈值太低，还是不应期没有用上？" if len(_places) > 10 else "阈值太高了吗？"),
    en=f"The real lead II has 10 beats, found {len(_places)}. "
    + (
        "Is the threshold too low, or the refractory period not in use?"
        if len(_places) > 10
        else "Is the threshold too high?"
    ),
)
assert np.abs(_places - DEVICE).max() <= 50, ulab.say(
    zh="找到了 10 次，但位置与机器标注的相差超过 50 ms。单位是采样序号吗？",
    en="10 beats, but more than 50 ms from the machine's marks. Are these sample numbers?",
)
for _lead in ("II", "aVR"):
    _signal, _times = _strip(_lead, 11)
    _places = _found(_signal, 1000)
    _score = f1(_places, _times, 1000)
    assert _score >= 0.95, ulab.say(
        zh=f"有干扰的 {_lead} 导联：真实 {len(_times)} 次，找到 {len(_places)} 次，F1 = {_score:.2f}，要求 0.95。"
        + ("多找了很多：不应期或阈值？" if len(_places) > 1.1 * len(_times) else "")
        + ("aVR 是倒置的：平方了吗？" if _lead == "aVR" else ""),
        en=f"Disturbed lead {_lead}: {len(_times)} true beats, {len(_places)} found, F1 = {_score:.2f}, 0.95 asked. "
        + ("Far too many: refractory period or threshold? " if len(_places) > 1.1 * len(_times) else "")
        + ("aVR is inverted: squared?" if _lead == "aVR" else ""),
    )
### BEGIN HIDDEN TESTS
_cases = [
    (lead, rate, bpm)
    for rate, bpm in ((1000, 75), (500, 45), (250, 140))
    for lead in ("I", "II", "aVR", "V1", "V2", "V3", "V5")
]
for _case, (_lead, _rate, _bpm) in enumerate(_cases):
    _signal, _times = _strip(_lead, 100 + _case, _rate, _bpm, 30)
    _places = _found(_signal, _rate)
    _score = f1(_places, _times, _rate)
    assert _score >= 0.95, ulab.say(
        zh=f"看不见的 {_lead} 导联（{_rate} Hz，约 {_bpm} 次/分）：真实 {len(_times)} 次，找到 {len(_places)} 次，"
        f"F1 = {_score:.2f}，要求 0.95。"
        + ("采样频率换了：秒数换成采样数了吗？第 3 题的 bandpass 用到 rate 了吗？" if _rate != 1000 else ""),
        en=f"Hidden lead {_lead} ({_rate} Hz, about {_bpm} beats/min): {len(_times)} true beats, "
        f"{len(_places)} found, F1 = {_score:.2f}, 0.95 asked. "
        + (
            "Another sampling frequency: are seconds turned into samples? Does bandpass of item 3 use rate?"
            if _rate != 1000
            else ""
        ),
    )
    _error = np.median([np.abs(_places / _rate - time).min() for time in _times])
    assert _error <= 0.02, ulab.say(
        zh=f"{_lead} 导联：位置的中位误差 {1000 * _error:.0f} ms，要求不超过 20 ms。用的滤波器是零相位的吗？取的是偏离零最远的一点（不论朝上朝下）吗？",
        en=f"Lead {_lead}: median distance {1000 * _error:.0f} ms, at most 20 ms asked. "
        "Is the filter zero-phase? Is it the point farthest from zero, upward or downward?",
    )
_signal, _times = _strip("V4", 200)
_usual = _found(_signal, 1000)
for _scale, _lift in ((0.05, 0), (20, 0), (1, 8), (-1, 0)):
    _places = _found(_scale * _signal + _lift, 1000)
    assert f1(_places, _times, 1000) >= 0.95, ulab.say(
        zh=f"信号乘 {_scale}、加 {_lift} mV 以后就找不准了：阈值是不是一个固定的 mV 数，或者只认朝上的波？",
        en=f"Wrong once the signal is multiplied by {_scale} and lifted by {_lift} mV: is the threshold "
        "a fixed number of mV, or do only upward waves count?",
    )
for _seed in (301, 302, 303):
    _signal, _times = _strip("II", _seed, seconds=30)
    _knocked = 15_000 + int(500 * _times[3])
    _signal[_knocked : _knocked + 20] += 8
    _score = f1(_found(_signal, 1000), _times, 1000)
    assert _score >= 0.95, ulab.say(
        zh=f"电极被碰一下，多了一个 20 ms 的大尖峰，F1 就成了 {_score:.2f}：阈值是最大值的几分之一吗？",
        en=f"A knocked electrode adds one spike of 20 ms, and F1 becomes {_score:.2f}: "
        "is the threshold a fraction of the maximum?",
    )
_signal, _times = _strip("V5", 400)
_held = _signal.copy()
_found(_held, 1000)
_flat = _found(np.zeros(3000), 1000)
assert len(_flat) <= 3000 // 300 + 1, ulab.say(
    zh="一条直线上找到了很多心跳。", en="Many beats were found on a flat line."
)
### END HIDDEN TESTS

# %%
found = r_peaks(lead_ii, 1000)
print(ulab.say(zh="与机器标注之差（ms）：", en="difference from the machine's marks (ms):"), found - DEVICE)
detectors["yours"] = r_peaks
results["yours"] = {lead: mean_f1(r_peaks, lead) for lead in SHOWN}
pd.DataFrame(results).T.round(2)

# %%
filtered = bandpass(noisy, 1000)
energy = uniform_filter1d(filtered**2, 120)
places = r_peaks(noisy, 1000)
figure, axes = plt.subplots(3, 1, figsize=(10, 5), sharex=True)
axes[0].plot(seconds, noisy, lw=0.6)
axes[0].plot(places / 1000, noisy[places], "rv", ms=5)
axes[1].plot(seconds, filtered, lw=0.8)
axes[2].plot(seconds, 1000 * energy, lw=0.8)
for axis, label in zip(
    axes,
    (
        ulab.say(zh="信号（mV）", en="signal (mV)"),
        ulab.say(zh="滤波后（mV）", en="filtered (mV)"),
        ulab.say(zh="能量（10⁻³ mV²）", en="energy (10⁻³ mV²)"),
    ),
):
    axis.set_ylabel(label)
axes[2].set(xlim=(0, 8), xlabel=ulab.say(zh="时间（s）", en="time (s)"))
plt.show()

# %% [markdown] lang="zh"
# ## 六、心率与心率变异性
#
# 相邻两个 R 波之间的时间叫 **RR 间期**，单位毫秒（ms）。由它算三个数：
#
# - **心率**：60000 除以**平均 RR 间期**，单位次/分；
# - **SDNN**：RR 间期的标准差，用样本标准差（分母 $n-1$），单位 ms；
# - **RMSSD**：相邻两个 RR 间期之差，平方、平均、开方，单位 ms。
#
# 后两个叫**心率变异性**（HRV）：健康的心跳并不像钟摆那样均匀。
#
# ### 第 5 题（3 分）：心率与心率变异性
#
# - `rr_intervals(peaks, rate)`：R 波位置（采样序号）→ RR 间期数组，单位 ms；
# - `hrv(rr)`：返回字典 `{"rate": …, "sdnn": …, "rmssd": …}`。`rr` 里的 `NaN` 表示这个间期作废：计算时不算它，而且 RMSSD **只用真正相邻、两个都有效的间期**，不跨过作废的那个。
#
# <details><summary>提示 1：概念</summary>
#
# 10 秒里数到 10 次心跳，心率不是 60：从第一个 R 到最后一个 R 只有 9 个间期，也不到 10 秒。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# `np.diff`、`np.nanmean`、`np.nanstd` 的参数 `ddof`。含 `NaN` 的差还是 `NaN`，正好不会跨过去。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 第一个函数一行；第二个函数的三个值各一行。
# </details>

# %% [markdown] lang="en"
# ## 6. Heart rate and its variability
#
# The time between neighbouring R waves is an **RR interval**, in milliseconds (ms). Three numbers come from it:
#
# - **heart rate**: 60000 divided by the **mean RR interval**, in beats per minute;
# - **SDNN**: the standard deviation of the RR intervals, of a sample (divide by $n-1$), in ms;
# - **RMSSD**: differences of neighbouring RR intervals, squared, averaged, then the root, in ms.
#
# The last two are called **heart rate variability** (HRV): a healthy heart is no pendulum.
#
# ### Item 5 (3 points): heart rate and its variability
#
# - `rr_intervals(peaks, rate)`: positions of R waves (sample numbers) → array of RR intervals in ms;
# - `hrv(rr)`: return a dictionary `{"rate": …, "sdnn": …, "rmssd": …}`. `NaN` in `rr` means that this interval is void: leave it out, and for RMSSD use **only true neighbours that are both valid**, never across a void one.
#
# <details><summary>Hint 1: the idea</summary>
#
# Ten beats in 10 seconds don't make a rate of 60: from the first R to the last there are 9 intervals, and less than 10 seconds.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# `np.diff`, `np.nanmean`, and `ddof` of `np.nanstd`. A difference with `NaN` is `NaN`, so nothing is bridged.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# One line for the first function, and one for each of the second's three values.
# </details>


# %% nbgrader={"grade_id": "hrv", "solution": true}
def rr_intervals(peaks, rate):
    ### BEGIN SOLUTION
    return np.diff(peaks) / rate * 1000


def hrv(rr):
    return {
        "rate": 60000 / np.nanmean(rr),
        "sdnn": np.nanstd(rr, ddof=1),
        "rmssd": np.sqrt(np.nanmean(np.diff(rr) ** 2)),
    }
    ### END SOLUTION


# zh: 接着写 hrv(rr)
# en: Now write hrv(rr)

# %% nbgrader={"grade_id": "hrv-test", "grade": true, "points": 3}
# zh: 手算得出的间期、心率、SDNN、RMSSD；看不见的测试有 NaN 和随机的间期
# en: intervals, rate, SDNN and RMSSD worked out by hand; hidden tests have NaN and random intervals
_rr = np.asarray(rr_intervals(np.array([100, 500, 920, 1300]), 500), dtype=float)
assert _rr.shape == (3,), ulab.say(
    zh=f"4 个 R 波之间有 3 个间期，得到形状 {_rr.shape}。",
    en=f"4 R waves have 3 intervals between them, not shape {_rr.shape}.",
)
assert not np.allclose(_rr, [0.8, 0.84, 0.76]), ulab.say(
    zh="间期的单位是秒，要的是毫秒。", en="The intervals are in seconds; milliseconds are asked."
)
assert not np.allclose(_rr, [400, 420, 380]), ulab.say(
    zh="间期还是采样数：除以采样频率才是秒。",
    en="The intervals are still numbers of samples: divide by the sampling frequency.",
)
assert np.allclose(_rr, [800, 840, 760]), ulab.say(
    zh=f"500 Hz 时间期应为 800、840、760 ms，得到 {_rr.round(1).tolist()}。",
    en=f"At 500 Hz the intervals are 800, 840, 760 ms, not {_rr.round(1).tolist()}.",
)
_h = hrv(np.array([800.0, 840.0, 760.0]))
assert set(_h) >= {"rate", "sdnn", "rmssd"}, ulab.say(
    zh="应返回有 rate、sdnn、rmssd 三个键的字典。", en="Return a dictionary with rate, sdnn and rmssd."
)
assert abs(float(_h["rate"]) - 75) < 1e-6, ulab.say(
    zh=f"心率应为 75.00 次/分，得到 {float(_h['rate']):.2f}。"
    "先求平均间期再去除 60000；各个间期的心率再平均，结果偏高。",
    en=f"The rate is 75.00 beats/min, not {float(_h['rate']):.2f}. Average the intervals, then divide "
    "60000 by that; the mean of each interval's rate is too high.",
)
_value = float(_h["sdnn"])
assert abs(_value - 32.66) > 0.01, ulab.say(
    zh="SDNN 得到 32.66：分母用了 n。样本标准差的分母是 n-1（ddof=1）。",
    en="SDNN is 32.66: divided by n. The sample's standard deviation divides by n-1 (ddof=1).",
)
assert abs(_value - 40) < 1e-6, ulab.say(
    zh=f"SDNN 应为 40.00 ms，得到 {_value:.2f}。", en=f"SDNN is 40.00 ms, not {_value:.2f}."
)
_value = float(_h["rmssd"])
assert abs(_value - np.sqrt(4000)) < 1e-6, ulab.say(
    zh=f"RMSSD 应为 63.25 ms，得到 {_value:.2f}：差是 40 和 -80，平方、平均、开方。",
    en=f"RMSSD is 63.25 ms, not {_value:.2f}: the differences are 40 and -80; square, mean, root.",
)
### BEGIN HIDDEN TESTS
_h = hrv(np.array([800.0, np.nan, 840.0, 760.0, np.nan, 790.0, 800.0]))
assert np.isfinite([float(_h[name]) for name in ("rate", "sdnn", "rmssd")]).all(), ulab.say(
    zh="有作废的间期（NaN）时，结果成了 NaN。", en="With void intervals (NaN) the result is NaN."
)
assert abs(float(_h["rate"]) - 60000 / 798) < 1e-6, ulab.say(
    zh="有作废的间期时，心率不对。", en="With void intervals the rate is wrong."
)
assert abs(float(_h["sdnn"]) - np.std([800, 840, 760, 790, 800], ddof=1)) < 1e-6, ulab.say(
    zh="有作废的间期时，SDNN 不对：分母用的是有效间期的个数减 1 吗？",
    en="With void intervals SDNN is wrong: does it divide by the number of valid ones less 1?",
)
assert abs(float(_h["rmssd"]) - np.sqrt((80**2 + 10**2) / 2)) < 1e-6, ulab.say(
    zh="有作废的间期时，RMSSD 不对：先删掉 NaN 再求差，就把不相邻的间期当成了相邻的。",
    en="With void intervals RMSSD is wrong: deleting NaN before the differences makes neighbours of what isn't.",
)
for _seed in (1, 2, 3):
    _random = np.random.default_rng(_seed)
    _peaks = np.cumsum(_random.integers(150, 320, 40))
    for _rate in (250, 360):
        _want = [1000 * (b - a) / _rate for a, b in zip(_peaks, _peaks[1:])]
        _rr = np.asarray(rr_intervals(_peaks, _rate), dtype=float)
        assert _rr.shape == (39,) and np.allclose(_rr, _want), ulab.say(
            zh=f"采样频率 {_rate} Hz，间期不对。", en=f"Intervals are wrong at {_rate} Hz."
        )
        _h = hrv(np.array(_want))
        _wants = {
            "rate": 60000 / np.mean(_want),
            "sdnn": np.std(_want, ddof=1),
            "rmssd": np.sqrt(np.mean([(b - a) ** 2 for a, b in zip(_want, _want[1:])])),
        }
        for _name, _wanted in _wants.items():
            assert abs(float(_h[_name]) - _wanted) < 1e-6, ulab.say(
                zh=f"随机的间期，{_name} 应为 {_wanted:.3f}，得到 {float(_h[_name]):.3f}。",
                en=f"For random intervals {_name} is {_wanted:.3f}, not {float(_h[_name]):.3f}.",
            )
### END HIDDEN TESTS

# %%
rr = rr_intervals(r_peaks(lead_ii, rate), rate)
marks = ulab.say(zh="机器标注", en="machine's marks")
pd.DataFrame({"II": hrv(rr), marks: hrv(rr_intervals(DEVICE, 1000))}).T.round(1)

# %% [markdown] lang="zh"
# 你的程序和机器的标注给出几乎一样的结果：约 61 次/分，SDNN 约 15 ms。机器在文件里写的 RR 间期是 982 ms，60000 ÷ 982 ≈ 61.1。
#
# ## 七、一个漏掉的心跳
#
# 再好的程序也会偶尔漏掉一次，或把一个 T 波错当成心跳。**先猜后算**：30 秒里只漏一次，心率和 SDNN 各变多少？

# %% [markdown] lang="en"
# Your program and the machine's marks almost agree: about 61 beats/min, SDNN about 15 ms. The file gives the machine's RR interval as 982 ms, and 60000 ÷ 982 ≈ 61.1.
#
# ## 7. One beat that was missed
#
# Even a good program now and then misses a beat, or takes a T wave for one. **Predict, then run**: with a single miss in 30 seconds, by how much do rate and SDNN change?

# %%
my_guess = {"rate": None, "sdnn": None}

# %%
long_rr = 1000 * np.diff(rhythm(7, 30, 70, 0.03))
missed = np.concatenate([long_rr[:12], [long_rr[12] + long_rr[13]], long_rr[14:]])
doubled = np.concatenate([long_rr[:20], [300, long_rr[20] - 300], long_rr[21:]])
cases = {
    ulab.say(zh="原样", en="as it was"): long_rr,
    ulab.say(zh="漏掉一次", en="one missed"): missed,
    ulab.say(zh="多出一次", en="one too many"): doubled,
}
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
pd.DataFrame({name: hrv(values) for name, values in cases.items()}).T.round(1)

# %% [markdown] lang="zh"
# 心率只动了一点，SDNN 却涨到好几倍，RMSSD 更多：**一个错误的间期就能把“心率变异性”变成另一个病人的**。
#
# ### 第 6 题（3 分）：认出错误的间期
#
# 写 `mark_artefacts(rr, tolerance=0.2)`：返回**副本**，把可疑的间期换成 `NaN`，其余不变，长度不变。
#
# 可疑的标准：把每个间期和它**邻近的中位数**比较（前两个、自己、后两个，共五个；靠近两端时，有几个算几个），相差**超过**这个中位数的 `tolerance` 倍。都用原来的 `rr` 比，不用已经改过的。
#
# <details><summary>提示 1：概念</summary>
#
# 为什么不用全体的平均加减两倍标准差？漏掉的心跳自己就把标准差撑大了；运动时心率慢慢变快，全体的中位数又会把两头都当成错误。
# </details>
# <details><summary>提示 2：看哪里</summary>
#
# 第 `i` 个的邻近是 `rr[max(0, i - 2) : i + 3]`。为什么要 `max`？试试 `rr[-2:3]`。
# </details>
# <details><summary>提示 3：形状</summary>
#
# 复制成浮点数组 → 循环：求中位数 `middle`，若 `abs(rr[i] - middle) > tolerance * middle`，就把副本的第 `i` 个设为 `np.nan`。
# </details>

# %% [markdown] lang="en"
# The rate hardly moves, SDNN grows several times over, and RMSSD even more: **one wrong interval turns heart rate variability into another patient's**.
#
# ### Item 6 (3 points): recognise wrong intervals
#
# Write `mark_artefacts(rr, tolerance=0.2)`: return a **copy** in which suspicious intervals are `NaN`; the others, and the length, stay.
#
# Suspicious: compare each interval with the **median of its neighbourhood** (two before, itself, two after: five; near the ends, as many as there are); it differs by **more than** `tolerance` times that median. Compare with `rr` as it came, not with what has been replaced.
#
# <details><summary>Hint 1: the idea</summary>
#
# Why not the mean of all plus or minus two standard deviations? The missed beat itself inflates the deviation; and when the heart speeds up slowly in exercise, the median of all would call both ends wrong.
# </details>
# <details><summary>Hint 2: where to look</summary>
#
# The neighbourhood of `i` is `rr[max(0, i - 2) : i + 3]`. Why the `max`? Try `rr[-2:3]`.
# </details>
# <details><summary>Hint 3: the shape</summary>
#
# Copy as floats → loop: the median `middle`; if `abs(rr[i] - middle) > tolerance * middle`, set the copy's `i` to `np.nan`.
# </details>


# %% nbgrader={"grade_id": "artefacts", "solution": true}
def mark_artefacts(rr, tolerance=0.2):
    ### BEGIN SOLUTION
    marked = np.array(rr, dtype=float)
    for i in range(len(rr)):
        middle = np.median(rr[max(0, i - 2) : i + 3])
        if abs(rr[i] - middle) > tolerance * middle:
            marked[i] = np.nan
    ### END SOLUTION
    return marked


# %% nbgrader={"grade_id": "artefacts-test", "grade": true, "points": 3}
# zh: 漏掉一次、多出一次、慢慢加快；看不见的测试还看两端、tolerance 和随机的间期
# en: one missed, one too many, a slow speeding-up; hidden tests look at both ends, tolerance and random intervals
def _marked(rr, *tolerance):
    values = np.asarray(mark_artefacts(np.array(rr, dtype=float), *tolerance), dtype=float)
    assert values.shape == (len(rr),), ulab.say(
        zh=f"{len(rr)} 个间期，返回的形状是 {values.shape}：标成 NaN，不要删除。",
        en=f"{len(rr)} intervals, but shape {values.shape} came back: mark with NaN, don't delete.",
    )
    return np.flatnonzero(np.isnan(values)).tolist()


_rr = [800.0, 810, 790, 805, 1600, 795, 800, 790, 810, 800, 805, 795]
assert _marked(_rr) == [4], ulab.say(
    zh=f"漏掉一次心跳，只有第 4 个间期（1600 ms）可疑；你标出的是 {_marked(_rr)}。",
    en=f"One beat missed: only interval 4 (1600 ms) is suspicious; you marked {_marked(_rr)}.",
)
_rr = [800.0, 810, 790, 300, 500, 795, 800, 790, 810, 800, 805, 795]
assert _marked(_rr) == [3, 4], ulab.say(
    zh=f"多出一次心跳，第 3、4 个间期（300 和 500 ms）都可疑；你标出的是 {_marked(_rr)}。"
    + ("是不是在改动过的数组上继续比较？" if 3 in _marked(_rr) else "太短的也算吗？"),
    en=f"One beat too many: intervals 3 and 4 (300 and 500 ms) are suspicious; you marked {_marked(_rr)}. "
    + (
        "Did you go on comparing with an array that you had changed?"
        if 3 in _marked(_rr)
        else "Do short ones count?"
    ),
)
_rr = np.linspace(1100, 450, 40)
assert _marked(_rr) == [], ulab.say(
    zh="运动时心率慢慢变快，没有一个间期是错的，却被标了出来：要和邻近的比，不是和全体比。",
    en="The heart speeds up slowly in exercise and no interval is wrong, yet some are marked: "
    "compare with the neighbourhood, not with all.",
)
### BEGIN HIDDEN TESTS
_rr = [800.0, 805, 1590, 795, 1610, 800, 790, 1600, 810, 800, 805, 795]
assert _marked(_rr) == [2, 4, 7], ulab.say(
    zh="漏掉三次时没有全部标出：是用全体的标准差定界限吗？它被错误的间期撑大了。",
    en="With three misses not all are marked: is the limit a standard deviation of all? Wrong intervals inflate it.",
)
_given = np.array([1600.0, 800, 810, 790, 800, 805, 390])
_kept = _given.copy()
_values = np.asarray(mark_artefacts(_given, 0.2), dtype=float)
assert np.isnan(_values[[0, 6]]).all(), ulab.say(
    zh="第一个或最后一个间期有错时没有标出。看看两端的邻近取对了吗。",
    en="A wrong first or last interval isn't marked. Look at the neighbourhood near the ends.",
)
assert np.array_equal(_given, _kept) and np.array_equal(_values[1:6], _kept[1:6]), ulab.say(
    zh="传进来的数组被改动了，或有效的间期被改了值。", en="The array passed in, or a valid interval, was changed."
)
_values = np.asarray(mark_artefacts(np.array([800, 810, 1600, 790, 800])), dtype=float)
assert np.isnan(_values).tolist() == [False, False, True, False, False], ulab.say(
    zh="传进整数数组时不对：副本要是浮点数组，才放得下 NaN。",
    en="Wrong for an array of integers: only an array of floats can hold NaN.",
)
assert _marked([1000.0, 1000, 1000, 1200, 1000, 1000]) == [], ulab.say(
    zh="正好相差 20% 不算超过。", en="Exactly 20 % is not more than 20 %."
)
_rr = [800.0, 800, 900, 800, 800, 800]
assert _marked(_rr, 0.1) == [2] and _marked(_rr, 0.2) == [], ulab.say(
    zh="用到参数 tolerance 了吗？", en="Is the parameter tolerance used?"
)
for _seed in range(6):
    _random = np.random.default_rng(_seed)
    _rr = _random.uniform(500, 1200, 30)
    for _limit in (0.1, 0.2, 0.3):
        _want = []
        for _i in range(30):
            _near = sorted(_rr[_j] for _j in range(_i - 2, _i + 3) if 0 <= _j < 30)
            _middle = (_near[(len(_near) - 1) // 2] + _near[len(_near) // 2]) / 2
            if abs(_rr[_i] / _middle - 1) > _limit:
                _want.append(_i)
        assert _marked(_rr, _limit) == _want, ulab.say(
            zh="随机的间期，标出的位置与定义不符：邻近是前两个、自己、后两个，都用原来的值。",
            en="For random intervals the marks differ from the definition: two before, itself, two after, "
            "all as they came.",
        )
### END HIDDEN TESTS

# %%
pd.DataFrame({name: hrv(mark_artefacts(values)) for name, values in cases.items()}).T.round(1)

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 2.8), sharey=True)
for axis, (values, title) in zip(
    axes,
    (
        (missed, ulab.say(zh="漏掉一次", en="one missed")),
        (doubled, ulab.say(zh="多出一次", en="one too many")),
    ),
):
    wrong = np.isnan(mark_artefacts(values))
    axis.plot(values, "o-", ms=3, lw=0.8)
    axis.plot(np.flatnonzero(wrong), values[wrong], "rx", ms=9)
    axis.set(title=title, xlabel=ulab.say(zh="第几个间期", en="number of the interval"))
axes[0].set_ylabel(ulab.say(zh="RR 间期（ms）", en="RR interval (ms)"))
plt.show()

# %% [markdown] lang="zh"
# 标出以后，三个数都回到了原来的附近。可是别忘了：这个规则也会把真正的**早搏**（心脏提前跳了一次）当成错误扔掉。给 HRV 用它合适，给找早搏用它就错了。

# %% [markdown] lang="en"
# Once marked, all three numbers are close to what they were. Mind that the same rule throws a true **premature beat** away as an error. For HRV that is right; to look for premature beats it would be wrong.

# %% [markdown] lang="zh"
# ## 八、更进一步：让网络来找
#
# 不设计特征，让一个小的一维卷积网络自己学呢？下面用合成的片段训练它：输入 4 秒信号（250 Hz），输出每个时刻是不是 R 波。有 GPU 时自动用 GPU。训练**只用 I、II、V4、V5、V6**：都是 R 波朝上的导联。
#
# **先猜后算**：它在没见过的 V1、V3、aVR 上行吗？在 aVL（这个人的 aVL 又矮又宽）上呢？

# %% [markdown] lang="en"
# ## 8. Going further: let a network find them
#
# What if nobody designs features and a small one-dimensional convolutional network learns them? Below it is trained on synthetic strips: 4 seconds in (250 Hz), and out, for each moment, whether it is an R wave. With a GPU it uses the GPU by itself. Training uses **I, II, V4, V5 and V6 only**, where R points up.
#
# **Predict, then run**: will it do on V1, V3 and aVR, which it has never seen? And on aVL, which is low and broad in this person?

# %%
my_guess = {"V1": None, "V3": None, "aVR": None, "aVL": None}

# %%
device = ulab.device()
STRIPS, STEPS = (60, 10) if ulab.grading() else (800, 300)


def training_strip(seed):
    random = np.random.default_rng(seed)
    times = rhythm(seed, 6, random.uniform(45, 150), 0.1)
    signal = compose(random.choice(["I", "II", "V4", "V5", "V6"]), times, 6, 250)
    disturbance = random.uniform([0, 0, 0.01], [1, 0.3, 0.1])
    signal = disturb(signal, 250, seed, *disturbance)[250:-250]
    grid = np.arange(len(signal)) / 250 + 1
    target = np.exp(-0.5 * ((grid[:, None] - times) / 0.02) ** 2).max(1, initial=0)
    return (signal - signal.mean()) / signal.std(), target


inputs, targets = (
    torch.tensor(np.array(part), dtype=torch.float32, device=device)[:, None]
    for part in zip(*map(training_strip, range(STRIPS)))
)
torch.manual_seed(0)
network = nn.Sequential(
    nn.Conv1d(1, 16, 15, padding=7), nn.ReLU(),
    nn.Conv1d(16, 16, 15, padding=14, dilation=2), nn.ReLU(),
    nn.Conv1d(16, 16, 15, padding=28, dilation=4), nn.ReLU(),
    nn.Conv1d(16, 1, 1),
).to(device)  # fmt: skip
optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
for step in range(STEPS):
    batch = torch.randint(0, STRIPS, (16,))
    loss = nn.functional.binary_cross_entropy_with_logits(network(inputs[batch]), targets[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@torch.no_grad()
def network_peaks(signal, rate):
    signal = torch.tensor((signal - signal.mean()) / signal.std(), dtype=torch.float32)
    chance = torch.sigmoid(network(signal[None, None].to(device)))[0, 0].cpu().numpy()
    return find_peaks(chance, height=0.3, distance=0.3 * rate)[0]


detectors["network"] = network_peaks
LEADS_TESTED = ["II", "V6", "V1", "V3", "aVR", "aVL"]
seeds = range(500, 502) if ulab.grading() else range(500, 506)
table = {
    name: {lead: mean_f1(detector, lead, seeds, 250) for lead in LEADS_TESTED}
    for name, detector in detectors.items()
}
print(ulab.say(zh="你的猜测：", en="Your guess:"), my_guess)
pd.DataFrame(table).T.round(2)

# %% [markdown] lang="zh"
# 大多数导联上，几秒钟训练出来的网络和你的几行代码**不分高下**。到了 aVL，你的方法还能找到九成，网络却几乎一次也找不到，而且**不会告诉你它不会**。它学到的是“这个人、这几个导联的 R 波长什么样”，不是“什么是心跳”。

# %% [markdown] lang="en"
# On most leads the network, trained in seconds, and your few lines are **equally good**. On aVL your method still finds nine beats in ten, while the network finds almost none, and **doesn't tell you so**. What it learnt is how R looks in this person and these leads, not what a beat is.

# %% [markdown] lang="zh"
# ## 九、记下实验
#
# 四种做法在**同样的合成记录**上的成绩，记进 MLflow。运行后，在平台上这个实验的页面点“我的运行记录”，全选后点 Compare：只看 II 和 V6，你会选哪个？再看 aVL 呢？

# %% [markdown] lang="en"
# ## 9. Log the experiment
#
# Log the scores of the four ways on **the same synthetic records** to MLflow. Run it, open "My runs" on this lab's page, select all and press Compare: judging by II and V6 alone, which would you choose? And with aVL?

# %%
for name, scores in table.items():
    with ulab.track(name, detector=name, rate=250, records=len(seeds)) as run:
        run.log(**{f"f1_{lead}": score for lead, score in scores.items()})

# %% [markdown] lang="zh"
# ## 十、十秒钟能证明什么
#
# ### 第 7 题（4 分，由教师评分）：十秒钟能证明什么
#
# 有人拿着这份结果说：“她的 SDNN 只有 15 ms，低于正常人，说明心脏自主神经功能受损；我们的程序 F1 是 1.00，可以放到卫生院用了。”用 150–300 字回答：
#
# 1. SDNN 的结论为什么不成立？至少两个理由，其中一个要用本实验的数字，1 分；
# 2. F1 = 1.00 为什么不够？说明测试数据从哪里来、缺了什么，1 分；
# 3. 上线之前你会怎样检验（谁的数据、多少人、和谁的标注比），1 分；
# 4. 这份文件去标识以后，还可能怎样认出本人？你会怎么防，1 分。

# %% [markdown] lang="en"
# ## 10. What can ten seconds prove?
#
# ### Item 7 (4 points, graded by your instructor): what can ten seconds prove?
#
# Somebody says of these results: "Her SDNN is only 15 ms, below normal, so her cardiac autonomic function is impaired; and our program has F1 = 1.00, so it can go to the clinics." Answer in 100–200 words:
#
# 1. why the conclusion from SDNN doesn't hold: at least two reasons, one with a figure of this lab, 1 point;
# 2. why F1 = 1.00 isn't enough: where the test data come from and what is missing in them, 1 point;
# 3. how you would test before use (whose data, how many people, against whose marks), 1 point;
# 4. how the person might still be recognised from the de-identified file, and what you would do about it, 1 point.

# %% [markdown] lang="zh" nbgrader={"grade_id": "ten-seconds", "grade": true, "solution": true, "points": 4}
# ### BEGIN SOLUTION
# **评分要点**（每条 1 分）
#
# 1. 至少两个理由，其中一个带数字。例如：只有 9 个间期，SDNN 本身的误差很大（9 个间期的标准差，95% 区间约 10–29 ms）；“正常值”多来自 24 小时或 5 分钟的记录，慢的变化 10 秒里根本没有发生，不能比；一个漏掉的心跳就能让 SDNN 涨到几倍；只有一个人、一次、静息，没有对照。
# 2. 测试信号由**同一个人**的典型心跳拼成，干扰是我们自己造的，滤波器又是照着这些干扰设计的；没有早搏、房颤、起搏器、电极脱落、儿童。aVL 上就已经掉到约 0.9。
# 3. 例如：多家医院、几百人以上、各种心律的长记录，按**人**划分；与两名以上医生的独立标注比；报告每个人的漏检和误检以及最差的一组，不只看平均；先离线旁观，再上线。
# 4. 例如：波形像指纹，可与本人的另一份心电图比对；年龄、性别、机器型号、注释的语言合起来缩小范围；UID 或私有元素没换干净。防法：年龄分段、去掉型号和注释、限制使用者并签协议、日期平移而不公开、只在院内计算。
#
# **参考答案**：结论不成立。10 秒只有 9 个间期，SDNN 15 ms 的 95% 区间大约是 10–29 ms；通常的参考值来自 5 分钟或 24 小时记录，包含这里看不到的慢变化，不能相比；而且一个漏检就会把 SDNN 变成几倍。F1 = 1.00 是在由同一个人的心跳拼成的信号上得到的，干扰也是自己造的，没有早搏和房颤；换到 aVL 已只有约 0.9。上线前应收集几家医院、各种心律、几百人的记录，按人划分，与两名医生的标注比，报告最差的人群。去标识后，波形仍可与另一份心电图比对，年龄、性别和机型也会缩小范围；我会把年龄分段、去掉型号，并让数据只在院内使用。
# ### END SOLUTION

# %% [markdown] lang="en" nbgrader={"grade_id": "ten-seconds", "grade": true, "solution": true, "points": 4}
# ### BEGIN SOLUTION
# **Rubric** (1 point each)
#
# 1. At least two reasons, one with a figure. For instance: there are only 9 intervals, so SDNN itself is uncertain (the 95 % interval of a standard deviation from 9 values is about 10–29 ms); normal values mostly come from 24 hours or 5 minutes, and slow changes don't happen in 10 seconds, so they can't be compared; one missed beat multiplies SDNN; one person, once, at rest, without a control.
# 2. The test signals are put together from the typical beat of **the same person**, with disturbances we made ourselves and a filter designed for just these; no premature beats, atrial fibrillation, pacemakers, loose electrodes, children. On aVL it is down to about 0.9 already.
# 3. For instance: long records of several hospitals, hundreds of people and many rhythms, split **by person**; against independent marks of two physicians or more; misses and false alarms of each person and of the worst group, not only the mean; first watched offline, then used.
# 4. For instance: the waveform is like a fingerprint and can be matched with another ECG of the same person; age, sex, model of the machine and language of the annotations narrow it down; UIDs or private elements left. Against it: age in bands, no model or annotations, named users under contract, shifted dates, computing inside the hospital only.
#
# **Model answer**: It doesn't hold. Ten seconds have only 9 intervals, so SDNN = 15 ms has a 95 % interval of roughly 10–29 ms; reference values come from 5 minutes or 24 hours and include slow changes that can't be seen here; and one missed beat multiplies SDNN. F1 = 1.00 was measured on signals made from the same person's beat, with disturbances of our own, without premature beats or fibrillation; on aVL it is about 0.9 already. Before use I'd collect records of several hundred people with many rhythms from several hospitals, split them by person, compare with the marks of two physicians and report the worst group. De-identified, the waveform can still be matched with another ECG, and age, sex and model narrow it down; I'd band the age, remove the model and keep the data inside the hospital.
# ### END SOLUTION

# %% [markdown] lang="zh"
# ## 边界与许可
#
# - 一个人，一份 10 秒的记录。第 4 题和第八节的长记录是用她的典型心跳**合成**的，节律和干扰都由我们设定，不能代表病人。
# - 本实验不是诊断工具；任何数字都不能用来判断健康。
# - 数据：PyPI 软件包 `pydicom` 3.0.2 的测试文件 `waveform_ecg.dcm`（MIT 许可）。文件里仍有真实的编号和日期，请不要打印、转发或试图查找本人。
# - 还想多做一点：用 I、aVF、V2 画出心电向量图（VCG）；在合成节律里插入早搏，看第 6 题的规则会怎样；给网络加上 aVL 再训练一次。

# %% [markdown] lang="en"
# ## Limits and licence
#
# - One person, one record of 10 seconds. The long records of item 4 and section 8 are **synthetic**: made from her typical beat, with rhythms and disturbances of our making; they stand for no patients.
# - This lab is no diagnostic device, and no figure in it says anything about health.
# - Data: `waveform_ecg.dcm`, a test file of the PyPI package `pydicom` 3.0.2 (MIT licence). Real numbers and dates are still in it: don't print them, pass them on, or try to find the person.
# - Want more? Draw a vectorcardiogram (VCG) from I, aVF and V2; put premature beats into the made rhythm and see what the rule of item 6 does; train the network once more with aVL.
