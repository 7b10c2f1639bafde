"""What does a bent head, a raised arm or a tense mind do to the muscles under the nape?

Load gives activity, activity gives blood flow, heat and lactate; what lactate leaves behind makes nerve endings ache.
The equations, one small function each, over eight persons at once (see `unaji.body._lanes`); the loop that uses them is
in `unaji.body._kernels_drives`. Activity is a share of the strongest contraction, flow is relative to rest.
"""

from __future__ import annotations

from math import pi

from numba import njit

from unaji.body._lanes import exp2, larger, log2, smaller
from unaji.body.drives import sine
from unaji.records.timeline import FloatArray

STANDARD_GRAVITY_M_S2 = 9.80665


@njit(cache=True)
def gravity_moment(
    flexion_deg: FloatArray, forward_m: FloatArray, head_kg: FloatArray, height_m: FloatArray
) -> FloatArray:
    """Return the moment of the head's weight about C7 above that of the upright head [N m]: m g (r sin θ + d)₊.

    What the upright head asks for belongs to the muscle's basal heat and flow: the neutral person sits upright.
    """
    arm_m = height_m * sine(flexion_deg * (pi / 180.0)) + forward_m
    return larger(head_kg * STANDARD_GRAVITY_M_S2 * arm_m, 0.0)


@njit(cache=True)
def active_share(
    flexion_deg: FloatArray, base: FloatArray, start_deg: FloatArray, end_deg: FloatArray, flexed: FloatArray
) -> FloatArray:
    """Return the share of the moment that muscles carry: (1 − p0)(1 − p2 · ramp from θ1 to θ2).

    The moment alone would put desk work at 10 to 18 % of the strongest contraction where EMG finds less than 4 %
    (Strøm, Røe & Knardahl 2009), so most of it is taken to be carried by ligaments and the balance of the head (p0).
    Far forward the muscles fall silent (flexion relaxation).
    """
    ramp = smaller(larger((flexion_deg - start_deg) / (end_deg - start_deg), 0.0), 1.0)
    return (1.0 - base) * (1.0 - flexed * ramp)


@njit(cache=True)
def activity(posture: FloatArray, load: FloatArray) -> FloatArray:
    """Return the activity of a muscle: its shares of posture and of other loads, 0 to 1."""
    return smaller(larger(posture + load, 0.0), 1.0)


@njit(cache=True)
def occlusion(activity: FloatArray, start: FloatArray, end: FloatArray, most: FloatArray) -> FloatArray:
    """Return the share of flow that the muscle's own pressure stops: 0 below 20 % of the strongest contraction.

    Reactive hyperaemia of the supraspinatus appears from that level (Jensen et al. 1995).
    """
    return most * smaller(larger((activity - start) / (end - start), 0.0), 1.0)


@njit(cache=True)
def muscle_flow_target(
    activity: FloatArray,
    stopped: FloatArray,
    debt: FloatArray,
    modulation: FloatArray,
    gain: FloatArray,
    exponent: FloatArray,
    repayment: FloatArray,
) -> FloatArray:
    """Return what muscle flow tends to: (1 + k_F a^n) · modulation · (1 − occ) + k_H (debt − occ)₊.

    The last term is reactive hyperaemia: the debt follows the occlusion with a lag, and is repaid as far as the muscle
    lets blood through again. With the defaults a load of 14 % raises flow by 177 % (Larsson et al.: 175 %).
    """
    steep: FloatArray = exp2(log2(larger(activity, 1e-300)) * exponent)
    working = (1.0 + gain * steep) * modulation * (1.0 - stopped)
    return working + repayment * larger(debt - stopped, 0.0)


@njit(cache=True)
def flow_modulation(
    adrenaline: FloatArray,
    nerve: FloatArray,
    needle: FloatArray,
    adrenaline_gain: FloatArray,
    alpha: FloatArray,
    needle_gain: FloatArray,
) -> FloatArray:
    """Return by how much hormones, nerves and needles change muscle flow.

    (1 + k_Adr (A − 1))(1 + ρ_m R)/(1 + α_m (S_m − 1)): adrenaline dilates, as in the forearm whose flow more than
    doubles in a mental task even with its nerves blocked (Lindqvist et al.).
    """
    return (1.0 + adrenaline_gain * (adrenaline - 1.0)) * (1.0 + needle_gain * needle) / (1.0 + alpha * (nerve - 1.0))


@njit(cache=True)
def oxygen_demand(activity: FloatArray, use: FloatArray, work: FloatArray) -> FloatArray:
    """Return oxygen use against the supply of resting flow, per oxygenation: k_O (1 + k_VO a)."""
    return use * (1.0 + work * activity)


@njit(cache=True)
def oxygenation_target(flow: FloatArray, demand: FloatArray, arterial: FloatArray) -> FloatArray:
    """Return the oxygenation at which supply and use meet: O_a F/(F + c), with the rate (F + c)/V_O.

    Use is taken as proportional to oxygenation: with a fixed one the balance F O_a − VO2 has no steady state, and
    oxygenation would leave 0 to 1.
    """
    return arterial * flow / (flow + demand)


@njit(cache=True)
def lactate_production(
    activity: FloatArray, oxygenation: FloatArray, gain: FloatArray, oxygen_gain: FloatArray, reference: FloatArray
) -> FloatArray:
    """Return lactate made [mmol/(L s)]: k_x a (1 + k_ox (O_ref − O)₊)."""
    return gain * activity * (1.0 + oxygen_gain * larger(reference - oxygenation, 0.0))
