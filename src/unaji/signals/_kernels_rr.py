"""Compiled loops over RR intervals; imported on first use, since loading the compiler takes longer than the rest."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unaji.records.timeline import BoolArray, FloatArray

IntArray = NDArray[np.int64]

ECTOPIC_SLOPE, ECTOPIC_INTERCEPT = 0.13, 0.17
"""Lines that part ectopic from ordinary patterns of three jumps (Lipponen and Tarvainen 2019, c1 and c2)."""

MOST_BINS = 100_000
"""Histograms over a wider range than this many bins are of nothing that beats."""


@njit(cache=True)
def rolling_quantile(x: FloatArray, first: IntArray, last: IntArray, half: int, q: float) -> FloatArray:
    """Quantile of x over i − half … i + half, clipped to first[i] … last[i] − 1; linear between order statistics."""
    out = np.empty_like(x)
    window = np.empty(2 * half + 1)
    size = low = high = 0
    for i in range(x.size):
        size, low, high = _slide(x, window, size, low, high, max(first[i], i - half), min(last[i], i + half + 1))
        out[i] = _order_statistic(window, size, q)
    return out


@njit(cache=True)
def rolling_quartile_deviation(x: FloatArray, first: IntArray, last: IntArray, half: int) -> FloatArray:
    """Half the distance between the quartiles of x over the same windows as `rolling_quantile`."""
    out = np.empty_like(x)
    window = np.empty(2 * half + 1)
    size = low = high = 0
    for i in range(x.size):
        size, low, high = _slide(x, window, size, low, high, max(first[i], i - half), min(last[i], i + half + 1))
        out[i] = (_order_statistic(window, size, 0.75) - _order_statistic(window, size, 0.25)) / 2.0
    return out


@njit(cache=True)
def _slide(
    x: FloatArray, window: FloatArray, size: int, low: int, high: int, want_low: int, want_high: int
) -> tuple[int, int, int]:
    """Move a sorted window over x[low:high] to x[want_low:want_high]; return its new size and bounds."""
    if want_low >= high:  # a new run
        size, low, high = 0, want_low, want_low
    while low < want_low and high < want_high:  # one value leaves and one comes: shift only what lies between
        leaving, coming = x[low], x[high]
        k = _place(window, size, leaving)
        if coming > leaving:
            while k + 1 < size and window[k + 1] < coming:
                window[k] = window[k + 1]
                k += 1
        else:
            while k > 0 and window[k - 1] > coming:
                window[k] = window[k - 1]
                k -= 1
        window[k] = coming
        low, high = low + 1, high + 1
    while low < want_low:
        for j in range(_place(window, size, x[low]), size - 1):
            window[j] = window[j + 1]
        size, low = size - 1, low + 1
    while high < want_high:
        k = _place(window, size, x[high])
        for j in range(size, k, -1):
            window[j] = window[j - 1]
        window[k] = x[high]
        size, high = size + 1, high + 1
    return size, low, high


@njit(cache=True)
def _place(window: FloatArray, size: int, value: float) -> int:
    """Index of the first of the sorted values that is not below `value`."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if window[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True)
def _order_statistic(window: FloatArray, size: int, q: float) -> float:
    position = q * (size - 1)
    below = int(position)
    above = min(below + 1, size - 1)
    return float(window[below] + (position - below) * (window[above] - window[below]))


@njit(cache=True)
def decision_tree(
    rri_ms: FloatArray, run: IntArray, jump: FloatArray, median_ms: FloatArray, deviation: FloatArray,
    deviation_limit_ms: FloatArray, kind: NDArray[np.int8], begin: int, end: int,
) -> None:  # fmt: skip
    """Lipponen and Tarvainen's tree on normalised jumps (dRR) and deviations (mRR), at rows begin … end − 1.

    Fills in `kind`: 0 normal, 1 ectopic, 2 missed, 3 extra (both parts), 4 long, 5 short. A row may name the two after
    it as well; what was named before stays. Neighbours beyond a break count as having no jump.
    """
    for i in range(begin, end):
        if abs(jump[i]) <= 1.0 or kind[i]:
            continue
        if _is_ectopic(_jump_at(jump, run, i, -1), jump[i], _jump_at(jump, run, i, 1)):
            kind[i] = 1
            continue
        look_further = abs(_jump_at(jump, run, i, 1)) < abs(_jump_at(jump, run, i, 2))
        for j in range(i, i + 2 if look_further else i + 1):
            one, two = _jump_at(jump, run, j, 1), _jump_at(jump, run, j, 2)
            is_long = jump[j] > 1.0 and min(one, two) < -1.0
            is_short = jump[j] < -1.0 and max(one, two) > 1.0
            if not (is_long or is_short or abs(deviation[j]) > 3.0) or kind[j]:
                continue
            follows = j + 1 < rri_ms.size and run[j + 1] == run[j]
            if is_short and follows and abs(rri_ms[j] + rri_ms[j + 1] - median_ms[j]) < deviation_limit_ms[j]:
                kind[j] = kind[j + 1] = 3
            elif is_long and abs(rri_ms[j] / 2.0 - median_ms[j]) < deviation_limit_ms[j]:
                kind[j] = 2
            else:
                kind[j] = 4 if deviation[j] > 0.0 else 5


@njit(cache=True)
def _jump_at(jump: FloatArray, run: IntArray, i: int, ahead: int) -> float:
    j = i + ahead
    return float(jump[j]) if 0 <= j < jump.size and run[j] == run[i] else 0.0


@njit(cache=True)
def _is_ectopic(before: float, here: float, after: float) -> bool:
    """Negative-positive-negative pattern or its mirror: outside the lines of slope −0.13 and intercept ∓0.17."""
    if here > 1.0:
        return max(before, after) < -ECTOPIC_SLOPE * here - ECTOPIC_INTERCEPT
    return min(before, after) > -ECTOPIC_SLOPE * here + ECTOPIC_INTERCEPT


@njit(cache=True)
def spline_pieces(x: FloatArray, y: FloatArray, longest_bridge: float) -> FloatArray:
    """Coefficients of natural cubic splines: value, slope, half the bend and a sixth of its change after each knot.

    A new spline begins after each longer distance, over which the coefficients are NaN.
    """
    m, upper = np.zeros(x.size), np.zeros(x.size)  # second derivatives at the knots, from the tridiagonal system
    pieces = np.full((max(x.size - 1, 0), 4), np.nan)
    begin = 0
    for end in range(1, x.size + 1):
        if end < x.size and x[end] - x[end - 1] <= longest_bridge:
            continue
        for k in range(begin + 1, end - 1):
            h0, h1 = x[k] - x[k - 1], x[k + 1] - x[k]
            slope_change = (y[k + 1] - y[k]) / h1 - (y[k] - y[k - 1]) / h0
            pivot = 2.0 * (h0 + h1) - h0 * upper[k - 1]
            upper[k] = h1 / pivot
            m[k] = (6.0 * slope_change - h0 * m[k - 1]) / pivot
        for k in range(end - 2, begin, -1):
            m[k] -= upper[k] * m[k + 1]
        for k in range(begin, end - 1):
            h = x[k + 1] - x[k]
            pieces[k, 0], pieces[k, 2] = y[k], m[k] / 2.0
            pieces[k, 1] = (y[k + 1] - y[k]) / h - h * (2.0 * m[k] + m[k + 1]) / 6.0
            pieces[k, 3] = (m[k + 1] - m[k]) / (6.0 * h)
        begin = end
    return pieces


@njit(cache=True)
def tapered_rows(
    x: FloatArray, pieces: FloatArray, start: FloatArray, step: float, length: int, n: int
) -> tuple[FloatArray, FloatArray]:
    """Read the splines at start + (j + ½) step, take off a line, taper (Hann), fill up with zeros to n; a row a start.

    Where no spline is there is no weight. The second result is the sum of the squared weights of each row, relative
    to a row without missing samples.
    """
    rows, energy = np.zeros((start.size, n)), np.zeros(start.size)
    taper = np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2
    whole = np.sum(taper**2)
    for s in range(start.size):
        row = rows[s, :length]
        if not read_spline(x, pieces, start[s] + 0.5 * step, step, row):
            row[:] = 0.0
            continue
        sn = st = stt = sx = stx = 0.0
        for j in range(length):
            if not np.isnan(row[j]):
                t = j - length / 2.0
                sn, st, stt, sx, stx = sn + 1.0, st + t, stt + t * t, sx + row[j], stx + t * row[j]
        slope = (stx - st * sx / sn) / (stt - st * st / sn)
        level = (sx - slope * st) / sn
        for j in range(length):
            if np.isnan(row[j]):
                row[j] = 0.0
            else:
                row[j] = taper[j] * (row[j] - level - slope * (j - length / 2.0))
                energy[s] += taper[j] * taper[j]
    return rows, energy / whole


@njit(cache=True)
def read_spline(x: FloatArray, pieces: FloatArray, start: float, step: float, out: FloatArray) -> bool:
    """Fill `out` with the splines at start + j step, NaN where there is none; tell whether three values were found."""
    found, j = 0, 0
    while j < out.size and start + j * step < x[0]:
        out[j] = np.nan
        j += 1
    k = max(0, _place(x, x.size, start + j * step) - 1)
    while j < out.size:
        t = start + j * step
        while k < x.size - 1 and x[k + 1] < t:
            k += 1
        if k == x.size - 1:
            break
        d = t - x[k]
        value = pieces[k, 0] + d * (pieces[k, 1] + d * (pieces[k, 2] + d * pieces[k, 3]))
        out[j] = value
        found += not np.isnan(value)
        j += 1
    out[j:] = np.nan
    return found >= 3


@njit(cache=True)
def lomb_power(
    t_s: FloatArray, x: FloatArray, weight: FloatArray, low: IntArray, high: IntArray, start_s: FloatArray,
    length_s: float, df_hz: float, n_freq: int,
) -> FloatArray:  # fmt: skip
    """Lomb-Scargle periodogram ½[(Σwx cos)²/Σw²cos² + (Σwx sin)²/Σw²sin²] at 0, df, 2 df … of each segment.

    A line is taken off each segment, and w is a Hann taper times the weight of the beat. Cosine and sine of each sample
    turn by a fixed angle from one frequency to the next, so that none is computed anew.
    """
    power = np.zeros((low.size, n_freq))
    for s in range(low.size):
        n = high[s] - low[s]
        if n < 4:
            power[s, :] = np.nan
            continue
        t = t_s[low[s] : high[s]] - start_s[s]
        v = weight[low[s] : high[s]] * np.sin(np.pi * t / length_s) ** 2
        y = v * _without_line(t, x[low[s] : high[s]])
        v = v * v
        angle = 2.0 * np.pi * df_hz * t
        c, d, c_step, d_step = np.ones(n), np.zeros(n), np.cos(angle), np.sin(angle)
        for k in range(1, n_freq):
            power[s, k] = _next_power(c, d, c_step, d_step, y, v)
    return power


@njit(cache=True)
def _without_line(t: FloatArray, x: FloatArray) -> FloatArray:
    t0, x0 = t - t.mean(), x - x.mean()
    spread = np.sum(t0 * t0)
    left: FloatArray = x0 - t0 * (np.sum(t0 * x0) / spread) if spread > 0.0 else x0
    return left


@njit(cache=True, fastmath={"contract", "reassoc", "nsz", "arcp"})
def _next_power(
    c: FloatArray, d: FloatArray, c_step: FloatArray, d_step: FloatArray, y: FloatArray, v: FloatArray
) -> float:
    """Turn every sample by one frequency step and return the power there."""
    yc = ys = vcc = vcs = total = 0.0
    for j in range(c.size):
        cj = c[j] * c_step[j] - d[j] * d_step[j]
        dj = d[j] * c_step[j] + c[j] * d_step[j]
        c[j], d[j] = cj, dj
        yc += y[j] * cj
        ys += y[j] * dj
        vcc += v[j] * cj * cj
        vcs += v[j] * cj * dj
        total += v[j]
    # With τ as Lomb chose it the two waves are orthogonal: turn the four sums by ωτ.
    vss = total - vcc
    turn = 0.5 * np.arctan2(2.0 * vcs, vcc - vss)
    co, si = np.cos(turn), np.sin(turn)
    a, b = yc * co + ys * si, ys * co - yc * si
    aa = vcc * co * co + 2.0 * vcs * co * si + vss * si * si
    bb = total - aa
    floor = 1e-12 * total
    return 0.5 * ((a * a / aa if aa > floor else 0.0) + (b * b / bb if bb > floor else 0.0))


@njit(cache=True)
def window_moments(
    x: FloatArray, joined: BoolArray, low: IntArray, high: IntArray, large: float
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Count the valid values and joined differences of each window, and sum them up about their means.

    Sums, a row a window: mean of the values, squares about it, mean of the differences, squares about it, their mean
    square, and how many are larger than `large`. The difference of a window's first value belongs to no window. A
    window's sums are its own, whatever lies around it.
    """
    n_values, n_differences = np.zeros(low.size, np.int64), np.zeros(low.size, np.int64)
    sums = np.full((low.size, 6), np.nan)
    for w in range(low.size):
        n = pairs = 0
        total = drift = squares = larger = 0.0
        for i in range(low[w], high[w]):
            if np.isnan(x[i]):
                continue
            n, total = n + 1, total + x[i]
            if joined[i] and i > low[w]:
                difference = x[i] - x[i - 1]
                pairs, drift, squares = pairs + 1, drift + difference, squares + difference * difference
                larger += abs(difference) > large
        n_values[w], n_differences[w] = n, pairs
        if not n:
            continue
        mean, mean_difference = total / n, drift / max(pairs, 1)
        about = about_difference = 0.0
        for i in range(low[w], high[w]):
            if not np.isnan(x[i]):
                about += (x[i] - mean) ** 2
                if joined[i] and i > low[w]:
                    about_difference += (x[i] - x[i - 1] - mean_difference) ** 2
        sums[w, 0], sums[w, 1] = mean, about
        if pairs:
            sums[w, 2], sums[w, 3], sums[w, 4], sums[w, 5] = mean_difference, about_difference, squares / pairs, larger
    return n_values, n_differences, sums[:, :4], sums[:, 4:]


@njit(cache=True)
def smallest_step(x: FloatArray, joined: BoolArray, low: IntArray, high: IntArray, least: float) -> FloatArray:
    """Smallest joined difference of each window that is larger than `least`; infinite where there is none."""
    step = np.full(low.size, np.inf)
    for w in range(low.size):
        for i in range(low[w] + 1, high[w]):
            if joined[i] and least < abs(x[i] - x[i - 1]) < step[w]:
                step[w] = abs(x[i] - x[i - 1])
    return step


@njit(cache=True)
def sampen_windows(
    x: FloatArray, joined: BoolArray, low: IntArray, high: IntArray, r: FloatArray, n_blocks: int
) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Count templates, and pairs of two (B) and of three (A) intervals within r, in each window, pair by pair.

    `joined[i]` says that interval i follows interval i − 1 and both are valid. B and A are given for each pair of
    `n_blocks` parts of the window, shape (windows, n_blocks, n_blocks), the lower half empty; their sums are the
    window's. The last result are the squares of each part's first intervals about the window's mean of them.
    """
    n_templates, squares = np.zeros(low.size, np.int64), np.zeros((low.size, n_blocks))
    b, a = np.zeros((low.size, n_blocks, n_blocks), np.int64), np.zeros((low.size, n_blocks, n_blocks), np.int64)
    edge = np.zeros(n_blocks + 1, np.int64)
    for w in range(low.size):
        n = max(0, high[w] - low[w] - 2)
        x0, x1, x2 = np.empty(n), np.empty(n), np.empty(n)
        m = 0
        for i in range(low[w], low[w] + n):
            if joined[i + 1] and joined[i + 2]:
                x0[m], x1[m], x2[m] = x[i], x[i + 1], x[i + 2]
                m += 1
        n_templates[w] = m
        if not m:
            continue
        mean = np.mean(x0[:m])
        for g in range(n_blocks + 1):
            edge[g] = g * m // n_blocks
        for g in range(n_blocks):
            squares[w, g] = np.sum((x0[edge[g] : edge[g + 1]] - mean) ** 2)
            for i in range(edge[g], edge[g + 1]):
                for h in range(g, n_blocks):
                    begin, end = max(i + 1, edge[h]), edge[h + 1]
                    near, nearer = _count_both(x0[begin:end], x1[begin:end], x2[begin:end], x0[i], x1[i], x2[i], r[w])
                    b[w, g, h] += near
                    a[w, g, h] += nearer
    return n_templates, b, a, squares


@njit(cache=True)
def _count_both(
    x: FloatArray, y: FloatArray, z: FloatArray, xi: float, yi: float, zi: float, r: float
) -> tuple[int, int]:
    a = b = 0
    for j in range(x.size):
        near = (abs(x[j] - xi) <= r) & (abs(y[j] - yi) <= r)
        b += near
        a += near & (abs(z[j] - zi) <= r)
    return b, a


@njit(cache=True)
def sampen_strips(x: FloatArray, y: FloatArray, z: FloatArray, edge: IntArray, r: float) -> tuple[int, int]:
    """Count the same pairs (B, A) for templates (x, y, z) in strips of x (a little wider than r), in each sorted by y.

    A pair within r lies in one strip or in two neighbouring ones, and its second template in a stretch of y that only
    moves forward: the stretch is scanned without a branch.
    """
    a = b = 0
    for s in range(edge.size - 1):
        own_high, other_low, other_high = edge[s], edge[s + 1], edge[s + 1]
        other_end = edge[s + 2] if s + 2 < edge.size else edge[s + 1]
        for i in range(edge[s], edge[s + 1]):
            xi, yi, zi = x[i], y[i], z[i]
            while own_high < edge[s + 1] and y[own_high] - yi <= r:
                own_high += 1
            while other_low < other_end and yi - y[other_low] > r:
                other_low += 1
            other_high = max(other_high, other_low)
            while other_high < other_end and y[other_high] - yi <= r:
                other_high += 1
            near, nearer = _count_near(x[i + 1 : own_high], z[i + 1 : own_high], xi, zi, r)
            b += near
            a += nearer
            near, nearer = _count_near(x[other_low:other_high], z[other_low:other_high], xi, zi, r)
            b += near
            a += nearer
    return b, a


@njit(cache=True)
def _count_near(x: FloatArray, z: FloatArray, xi: float, zi: float, r: float) -> tuple[int, int]:
    a = b = 0
    for j in range(x.size):
        near = abs(x[j] - xi) <= r
        b += near
        a += near & (abs(z[j] - zi) <= r)
    return b, a


@njit(cache=True)
def dfa_windows(
    x: FloatArray, joined: BoolArray, low: IntArray, high: IntArray, first_scale: int, last_scale: int, n_blocks: int
) -> tuple[FloatArray, IntArray]:
    """Squares that a line leaves of the profile, and boxes, in boxes of each scale that do not overlap.

    The profile is the running sum of the window's intervals about their mean; no box reaches over a break. Both
    results have the shape (windows, `n_blocks` parts of the window in which a box ends, scales).
    """
    squares = np.zeros((low.size, n_blocks, last_scale - first_scale + 1))
    boxes = np.zeros((low.size, n_blocks, last_scale - first_scale + 1), np.int64)
    for w in range(low.size):
        n, mean = 0, 0.0
        for i in range(low[w], high[w]):
            if not np.isnan(x[i]):
                n, mean = n + 1, mean + x[i]
        mean = mean / n if n else 0.0
        profile, stretch = np.empty(n), np.empty(n, np.int64)  # stretch: intervals in an unbroken row up to here
        k, level = 0, 0.0
        for i in range(low[w], high[w]):
            if not np.isnan(x[i]):
                level += x[i] - mean
                profile[k] = level
                stretch[k] = stretch[k - 1] + 1 if k and joined[i] else 1
                k += 1
        for scale in range(first_scale, last_scale + 1):
            for k in range(scale - 1, n):
                if stretch[k] % scale == 0:
                    block = k * n_blocks // n
                    squares[w, block, scale - first_scale] += _left_by_line(profile, k + 1 - scale, scale)
                    boxes[w, block, scale - first_scale] += 1
    return squares, boxes


@njit(cache=True)
def _left_by_line(y: FloatArray, begin: int, n: int) -> float:
    """Sum of squares about the least-squares line of y[begin : begin + n]; taken about the first value."""
    sy = sty = syy = 0.0
    middle, origin, stt = (n - 1) / 2.0, y[begin], n * (n * n - 1.0) / 12.0
    for j in range(n):
        value = y[begin + j] - origin
        sy += value
        sty += (j - middle) * value
        syy += value * value
    return max(0.0, syy - sy * sy / n - sty * sty / stt)


@njit(cache=True)
def fullest_bin(
    x: FloatArray, low: IntArray, high: IntArray, width: float, origin: float
) -> tuple[IntArray, FloatArray]:
    """How many values the fullest bin of each window holds, and its centre; bins are centred on origin + k width.

    Of several equally full bins the lowest counts. NaN is left out; a window without values gives 0 and NaN.
    """
    count, centre = np.zeros(low.size, np.int64), np.full(low.size, np.nan)
    for w in range(low.size):
        bins = np.sort(np.floor((x[low[w] : high[w]] - origin) / width + 0.5))  # NaN comes last
        run = 0
        for i in range(bins.size):
            if np.isnan(bins[i]):
                break
            run = run + 1 if i and bins[i] == bins[i - 1] else 1
            if run > count[w]:
                count[w], centre[w] = run, origin + width * bins[i]
    return count, centre


@njit(cache=True)
def fullest_bin_of_parts(
    x: FloatArray, low: IntArray, high: IntArray, width: float, origin: float, holds: BoolArray
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """As `fullest_bin`, of parts of each window that are put together of blocks: `holds` says, part by part, which.

    Returns how many values each part holds, how many are in its fullest bin, the centre of that, and the range.
    """
    shape = (low.size, holds.shape[0])
    n, count = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    centre, extent = np.full(shape, np.nan), np.full(shape, np.nan)
    for w in range(low.size):
        values = x[low[w] : high[w]]
        values = values[~np.isnan(values)]
        bins = np.floor((values - origin) / width + 0.5)
        if not bins.size or bins.max() - bins.min() > MOST_BINS:
            continue
        lowest = bins.min()
        held = np.zeros(int(bins.max() - lowest) + 1, np.int64)
        for part in range(holds.shape[0]):
            held[:] = 0
            least, most = np.inf, -np.inf
            for i in range(bins.size):
                if holds[part, i * holds.shape[1] // bins.size]:
                    held[int(bins[i] - lowest)] += 1
                    least, most = min(least, values[i]), max(most, values[i])
            fullest = np.argmax(held)
            n[w, part], count[w, part] = np.sum(held), held[fullest]
            centre[w, part], extent[w, part] = origin + width * (fullest + lowest), most - least
    return n, count, centre, extent


@njit(cache=True)
def window_extremes(x: FloatArray, low: IntArray, high: IntArray) -> tuple[FloatArray, FloatArray]:
    """Smallest and largest value of each window, NaN left out; NaN where there is none."""
    least, most = np.full(low.size, np.nan), np.full(low.size, np.nan)
    for w in range(low.size):
        for i in range(low[w], high[w]):
            if not np.isnan(x[i]):
                if not x[i] >= least[w]:
                    least[w] = x[i]
                if not x[i] <= most[w]:
                    most[w] = x[i]
    return least, most


@njit(cache=True)
def replace_stretches(
    end_s: FloatArray, rri_ms: FloatArray, good: BoolArray, gap: BoolArray, longest_ms: float
) -> tuple[FloatArray, FloatArray, BoolArray, BoolArray]:
    """Put beats in the place of each stretch of rejected intervals that has a good one on either side.

    As many as fit, with intervals on the line from the one before to the one after. Longer stretches stay a gap.
    Returns ends, intervals, gaps and whether each interval was put in.
    """
    room = end_s.size + np.int64(np.sum(~good) * longest_ms / 200.0) + 1
    ends, values = np.empty(room), np.empty(room)
    gaps, new = np.zeros(room, np.bool_), np.zeros(room, np.bool_)
    m, i, broken = 0, 0, True
    while i < end_s.size:
        broken = broken or gap[i]
        if good[i]:
            ends[m], values[m], gaps[m] = end_s[i], rri_ms[i], broken
            m, i, broken = m + 1, i + 1, False
            continue
        j = i
        while j < end_s.size and not good[j] and not (gap[j] and j > i):
            j += 1
        if broken or j == end_s.size or gap[j]:
            broken, i = True, j
            continue
        before, after = values[m - 1], rri_ms[j]
        length_ms = 1000.0 * (end_s[j] - ends[m - 1]) - after
        beats = np.int64(np.round(2.0 * length_ms / (before + after)))
        if length_ms > longest_ms or before < 200.0 or after < 200.0:
            broken, i = True, j
            continue
        begin_s = ends[m - 1]
        for k in range(beats):
            ends[m] = begin_s + 1e-3 * length_ms * (k + 1) / beats
            values[m] = before + (after - before) * (k + 1) / (beats + 1)
            new[m] = True
            m += 1
        i = j
    return ends[:m], values[:m], gaps[:m], new[:m]
