# SPDX-License-Identifier: MPL-2.0
"""What changes while a node joins: its settings, its directory, the node that invited it, and its own life."""
import os
import signal
import subprocess
import sys

sys.path.insert (0, os.path.join (os.path.dirname (os.path.abspath (__file__)), "..", "lib"))
import lab
from mesh import Terminal, expect, main, wait_for


def standing (founder, name):
    found = [member for member in founder.json ("group", "members")["members"] if member["name"] == name]
    expect (len (found) <= 1, "%s is counted more than once: %s" % (name, found))
    return found[0] if found else None


def founded (mesh):
    founder = mesh.node ("founder", agent=lab.make_agent (mesh))
    founder.config (proposers="[]")
    founder.cli ("group", "create", "joiners")
    founder.start ()
    return founder


def invited (founder):
    return founder.json ("group", "invite", "--local")["token"]


def asked (mesh, node, token):
    terminal = Terminal (mesh, [mesh.evomesh, "group", "join", token, "--dir", node.dir])
    terminal.wait (r"\[y/N\]")
    return terminal


def yaml (node):
    with open (os.path.join (node.dir, "node.yaml")) as file:
        return file.read ()


def settings_that_change_while_it_is_asked_stay (mesh):
    founder, node = founded (mesh), mesh.node ("careful")
    terminal = asked (mesh, node, invited (founder))
    node.config (slots="3") # as the question suggests of `private:`, in another terminal
    terminal.type ("y\n")
    expect (terminal.end () == 0, terminal.seen)
    text = yaml (node)
    expect ("slots: 3" in text and 'agent: "%s/agent"' % node.dir in text, "node.yaml lost what was changed:\n%s" % text)


def settings_that_can_not_be_read_any_more_are_named (mesh):
    founder, node = founded (mesh), mesh.node ("hasty")
    token = invited (founder)
    terminal, before = asked (mesh, node, token), yaml (node)
    node.config (slots="many")
    terminal.type ("y\n")
    expect (terminal.end () == 1 and "node.yaml" in terminal.seen and "slots" in terminal.seen, terminal.seen)
    expect (not os.path.exists (os.path.join (node.dir, "agent")), "it was laid out, but not joined")
    lab.write (os.path.join (node.dir, "node.yaml"), before)
    node.cli ("group", "join", token, "--yes")


def what_lies_where_the_agent_goes_is_not_replaced (mesh):
    founder, node = founded (mesh), mesh.node ("owner")
    token = invited (founder)
    place = os.path.join (node.dir, "agent")
    os.mkdir (place)
    lab.write (os.path.join (place, "thesis.txt"), "three years\n")
    refused = node.cli ("group", "join", token, "--yes", code=1)
    expect (place in refused.err and "move it away" in refused.err, str (refused))
    with open (os.path.join (place, "thesis.txt")) as file:
        expect (file.read () == "three years\n", "it was replaced")
    os.rename (place, mesh.path ("thesis"))
    os.mkdir (place) # an empty one is no obstacle
    node.cli ("group", "join", token, "--yes")
    expect (os.path.exists (os.path.join (place, "evaluate")), "the agent is not there")


def who_can_not_be_told_of_a_no_is_not_said_to_know_it (mesh):
    founder, node = founded (mesh), mesh.node ("unheard")
    token = invited (founder)
    terminal = asked (mesh, node, token)
    founder.stop ()
    terminal.type ("n\n")
    expect (terminal.end () == 1, terminal.seen)
    expect ("still counts this node as a member" in terminal.seen.replace ("\r\n", " "), terminal.seen)
    founder.start ()
    expect (standing (founder, "unheard")["revoked_epoch"] == 0, "it was told after all")
    node.cli ("group", "join", token, "--yes")
    node.start ()
    mesh.wait_linked ([founder, node])


def the_inviting_node_is_killed_while_it_is_asked (mesh):
    founder, node = founded (mesh), mesh.node ("patient")
    terminal = asked (mesh, node, invited (founder))
    founder.kill ()
    terminal.type ("y\n")
    expect (terminal.end () == 0, terminal.seen) # all that it needs is here
    founder.start ()
    node.start ()
    mesh.wait_linked ([founder, node])


def killed_at_whatever_step_a_second_try_joins (mesh):
    """Killed ever later, with one token for one use, until it comes to its end."""
    founder, node = founded (mesh), mesh.node ("unlucky")
    token, delay_s, killed = invited (founder), 0.0, 0
    while True:
        process = subprocess.Popen ([mesh.evomesh, "group", "join", token, "--yes", "--dir", node.dir], env=mesh.env,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            out, _ = process.communicate (timeout=delay_s)
            break
        except subprocess.TimeoutExpired:
            process.send_signal (signal.SIGKILL)
            out, _ = process.communicate ()
            if process.returncode >= 0: # it was quicker
                break
        killed += 1
        delay_s += 0.002
        node.cli ("config") # its settings can be read at any time
    expect (process.returncode == 0 or "in group joiners already" in out, "after %d kills: %s" % (killed, out))
    expect (killed > 5, "it was killed %d times only" % killed)
    expect (standing (founder, "unlucky")["revoked_epoch"] == 0, "it is no member")
    node.start ()
    mesh.wait_linked ([founder, node])
    expect ("agent" not in os.listdir (os.path.join (node.dir, "work")), "a copy was left in work/")


def both_are_killed_at_whatever_step (mesh):
    """The inviting node loses power ever later, and who joins gives up; until once both come through."""
    founder, node = founded (mesh), mesh.node ("unlucky")
    token, delay_s, killed = invited (founder), 0.0, 0
    while True:
        process = subprocess.Popen ([mesh.evomesh, "group", "join", token, "--yes", "--dir", node.dir], env=mesh.env,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            process.wait (delay_s)
        except subprocess.TimeoutExpired:
            pass
        founder.kill ()
        process.kill ()
        out, _ = process.communicate ()
        code = process.returncode
        founder.start ()
        if code >= 0:
            break
        killed += 1
        delay_s += 0.006
    expect ((code == 0 or "in group joiners already" in out) and killed > 3, "after %d kills: %d %s" % (killed, code, out))
    expect (standing (founder, "unlucky")["revoked_epoch"] == 0, "it is no member")
    node.start ()
    mesh.wait_linked ([founder, node])
    expect (founder.moves ()["same"], "the founder's journal replays")


def two_join_at_once_under_one_name (mesh):
    founder = founded (mesh)
    nodes = [mesh.node (name) for name in ("one", "other")]
    for node in nodes:
        node.config (name="twin")
    joins = [subprocess.Popen ([mesh.evomesh, "group", "join", invited (founder), "--yes", "--dir", node.dir],
                               env=mesh.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for node in nodes]
    expect ([join.wait (60) for join in joins] == [0, 0], "one of them failed")
    for node in nodes:
        node.start ()
    mesh.wait_linked ([founder, *nodes])
    twins = [one for one in founder.json ("group", "members")["members"] if one["name"] == "twin"]
    expect (len ({one["id"] for one in twins}) == 2, "both are members: %s" % twins)
    refused = founder.cli ("group", "revoke", "twin", "--yes", code=None)
    expect (refused.code == 1, "which of them was meant? %s" % refused)
    founder.cli ("group", "revoke", twins[0]["id"], "--yes")
    wait_for ("that one is out", lambda: [one["revoked_epoch"] > 0 for one in founder.json ("group", "members")["members"]
                                          if one["id"] == twins[0]["id"]] == [True])


main (settings_that_change_while_it_is_asked_stay, settings_that_can_not_be_read_any_more_are_named,
      what_lies_where_the_agent_goes_is_not_replaced, who_can_not_be_told_of_a_no_is_not_said_to_know_it,
      the_inviting_node_is_killed_while_it_is_asked, killed_at_whatever_step_a_second_try_joins,
      both_are_killed_at_whatever_step, two_join_at_once_under_one_name)
