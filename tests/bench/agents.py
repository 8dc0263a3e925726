# SPDX-License-Identifier: MPL-2.0
"""How good the sample agents become. `agents.py EVOMESH [circle-packing|kernel-tuning]…`; agents.sh builds and calls it.

circle-packing: one node, five seeds, two minutes each at most; how long until its live release reached the aim.
kernel-tuning: two nodes with private inputs of their own, four minutes; how much faster what is live became, as each of them
measured it, and as measured once more in the end with the second node's inputs, start and release in turns.
"""
import os
import statistics
import sys
import time

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "integration", "lib"))
from mesh import PROJECT, Mesh

PACKING_SEEDS = [1, 2, 3, 4, 5]
PACKING_SECONDS = 120
PACKING_AIM = 2.63598
PACK = '[{name: pack, command: [./propose, "300"], timeout: 120s}]'

KERNEL_SECONDS = 240
KERNEL_PAIRS = 9
KERNEL_AIM = 1.5


def agent (name):
    return os.path.join (PROJECT, "deploy", "agents", name)


missed = 0  # aims


def verdict (reached):
    global missed
    missed += not reached
    return "reached" if reached else "MISSED"


def load ():
    return "load of the machine %.1f on %d cores" % (os.getloadavg ()[0], os.cpu_count ())


# --- circle-packing ---

def pack (mesh, seed):
    """Runs one node. Returns its live sum in the end, and the seconds that it took."""
    node = mesh.node ("packer-%d" % seed, "--seed", str (seed), "--slots", "1", agent=agent ("circle-packing"))
    node.config (proposers=PACK)
    # The last per mille counts here, and nothing is noisy.
    node.cli ("group", "create", "packers", "--min-improvement", "0.000001")
    began = time.monotonic ()
    node.start ()
    sum_of_radii = 0
    while sum_of_radii < PACKING_AIM and time.monotonic () - began < PACKING_SECONDS:
        time.sleep (0.5)
        sum_of_radii = node.status ()["objectives"][0]["now"] or 0
    seconds = time.monotonic () - began
    node.stop ()
    return sum_of_radii, seconds


def circle_packing (mesh):
    print ("circle-packing: sum of radii of 26 circles, checked without tolerance; aim %.5f within %d s"
           % (PACKING_AIM, PACKING_SECONDS))
    for seed in PACKING_SEEDS:
        found, seconds = pack (mesh, seed)
        print ("  seed %d: %.12f after %5.1f s   %s   (%s)"
               % (seed, found, seconds, verdict (found >= PACKING_AIM), load ()), flush=True)


# --- kernel-tuning ---

def tuner (mesh, name, seed, **options):
    node = mesh.node (name, "--seed", str (seed), "--slots", "1", **options)
    with open (os.path.join (node.private, "seed"), "w") as file:
        file.write ("%032x\n" % (seed * 0x9e3779b97f4a7c15))
    return node


def measure (mesh, directory, private):
    told = mesh.run (mesh.evomesh, "agent", "check", directory, "--private", private, "--runs", "1", "--json").json ()
    return next (one["median"] for one in told["objectives"] if one["name"] == "us_per_product")


def measured_again (mesh, release, private):
    """Times of start and release in turns: how many times faster, the median of the pairs."""
    tuned = mesh.path ("tuned")
    mesh.run ("cp", "-r", agent ("kernel-tuning"), tuned)
    for name in ("multiply.c", "flags"):
        mesh.run ("cp", os.path.join (release, name), os.path.join (tuned, name))
    return statistics.median (measure (mesh, agent ("kernel-tuning"), private) / measure (mesh, tuned, private)
                              for _ in range (KERNEL_PAIRS))


def tell_tuner (node):
    """Prints how far it got. Returns how many candidates of the other it validated."""
    status = node.status ()
    times, sizes = status["objectives"]
    print ("  %s: %.0f -> %.0f us a product, %.2f times faster; %d -> %d bytes of code; %d applied, %d adopted, %d validations"
           " for the other" % (node.name, times["start"], times["now"], times["start"] / times["now"], sizes["start"],
                               sizes["now"], status["applied"], status["packages_adopted"], status["validations_done"]))
    return status["validations_done"]


def kernel_tuning (mesh):
    print ("kernel-tuning: two nodes, each with inputs of its own, for %d s; aim %.1f times faster, confirmed by the other"
           % (KERNEL_SECONDS, KERNEL_AIM))
    alpha = tuner (mesh, "alpha", 1, agent=agent ("kernel-tuning"))
    alpha.cli ("group", "create", "tuners")
    alpha.start ()
    beta = tuner (mesh, "beta", 2)
    mesh.join (beta, alpha)
    beta.start ()
    time.sleep (KERNEL_SECONDS)
    confirmed = sum (tell_tuner (node) for node in (alpha, beta)) > 0
    mesh.stop ()
    factor = measured_again (mesh, os.path.join (alpha.dir, "current"), beta.private)
    print ("  alpha's release with beta's inputs, measured again: %.2f times faster, median of %d pairs   %s   (%s)"
           % (factor, KERNEL_PAIRS, verdict (factor >= KERNEL_AIM and confirmed), load ()))


BENCHES = {"circle-packing": circle_packing, "kernel-tuning": kernel_tuning}


def run (names):
    for name in names:
        mesh = Mesh (sys.argv[1])
        try:
            BENCHES[name] (mesh)
        finally:
            mesh.close ()
            mesh.run ("rm", "-rf", mesh.scratch, code=None)


if __name__ == "__main__":
    wanted = sys.argv[2:] or list (BENCHES)
    unknown = [name for name in wanted if name not in BENCHES]
    if unknown:
        sys.exit ("agents.py: found %s, expected %s" % (unknown[0], " or ".join (BENCHES)))
    run (wanted)
    sys.exit (missed > 0)
