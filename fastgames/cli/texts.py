"""The examples below the help of every command; lines of at most 78 columns."""

PROGRAM = "fastgames"

RUN_EXAMPLES = """
Examples:
  fastgames run matching_pennies --replicas 1000 --seed 7
  fastgames run prisoners_dilemma --temperature 0.5 --plot dilemma.png
  fastgames run climbing --steps 5000 --epsilon exponential:1,0.002,0.01
  fastgames run chicken --learner q --learner fixed --probabilities .7,.3
  fastgames run penalty --k -10 --alpha 0.1 --alpha 0.01 --out penalty.zip
  fastgames run matching_pennies --learner exp3 --mixing 0.2 --low -1
  fastgames run climbing --learner hysteretic_q:beta=0.01 --learner q
  fastgames run cournot:firms=3 --steps 1000000 \\
      --temperature exponential:1000,1e-5,0.01
  fastgames run klein --steps 500000 --alpha 0.3 --last 1000 \\
      --epsilon exponential:1,2.763e-5
  fastgames run grid_game --record episodes --record path=20 --out path.zip
  fastgames run klein --steps 1000000000 --replicas 1000000 --dry-run
  fastgames run chicken --replicas 1000 --seed 7 --shard 3/40 --out parts/

X is a number, numbers with commas between them, true or false. A number of a
learner may also be a schedule:
  exponential:START,RATE[,FLOOR]         linear:START,END,STEPS
  hyperbolic:START,OFFSET[,POWER]        piecewise:STEP,VALUE,STEP,VALUE,...
  constant:STEP,VALUE,STEP,VALUE,...
A number that learning reads may be by_action:SCHEDULE, whose steps are visits
of an observation and action, by_action=10:SCHEDULE with 10 visits before the
first, or by_observation[=INITIAL]:SCHEDULE. The step size alpha may also be
visits[:POWER]; initial may be uniform_rivals.

An option of a learner given once is for all agents. Given once for each
agent, it is for each in turn; - leaves an agent its default. --game-gamma is
the gamma of a game.

--record is given once for each record. flips, rewards and joint_actions
(unless there are too many of these) are recorded anyway.

--shard 3/40 runs the third of forty parts of the replicas, numbered from 1,
and writes parts/shard-03-of-40.zip. The same command goes on where it was
killed. --shard auto takes both numbers from the variables of a SLURM or SGE
job array, and is meant where --out is a folder in such a job; auto/40 takes
only the first number from there, from PBS too, so that some tasks can be
submitted again. `fastgames shards` prints a script, `fastgames merge` joins
the parts.
"""

REPRODUCE_EXAMPLES = """
Names:
  chapter         the chapter's claims, from non-stationarity to self-play,
                  each beside what 200 runs show (compiled by Numba as it
                  runs, a minute on 2 cores)
  cycling         the chapter's listing, and a million runs of it
  sweep           exercise (a), flips over alpha and epsilon
  softmax         exercise (b), softmax's play frequencies and rest points
  frozen          exercise (c), freeze the column agent, let it learn again
  calvano         Calvano et al. (2020), algorithms that learn to collude
                  (1,000 sessions of 4 settings, a minute or two on 2 cores);
                  with --grid 20x20: their profits by alpha and beta,
                  20 sessions each
  klein           Klein (2021), two firms that set their prices in turn
  afp             Asker, Fershtman & Pakes (2022), learning from all prices
                  or one
  waltman-kaymak  Waltman & Kaymak (2008), Cournot duopoly
  value-decomposition  what VDN and QMIX represent, beside printed values
                  (1,000 runs in each game, three minutes on 2 cores)
  bar-problem     Wolpert & Tumer (2001), rewards of many agents' own parts
                  (1,000 runs of 100 agents, two minutes on 2 cores)
  coordination    where pairs end in the climbing and the penalty game, beside
                  an open course (1,000 runs, half a minute on 2 cores)
  gradients       variances of policy gradients, groups of plays, LOLA, beside
                  closed forms and print (five minutes on 2 cores)
  traffic         signals that learn where the timing of one matters to
                  the next, beside plans (40 seeds, two minutes on 2 cores)

Examples:
  fastgames reproduce cycling
  fastgames reproduce cycling --replicas 10000 --out pictures
  fastgames reproduce sweep --steps 50000 --seed 1
  fastgames reproduce calvano --replicas 200
  fastgames reproduce calvano --grid 40x40 --checkpoint calvano.zip
  fastgames reproduce afp --firms 2,3,4
  fastgames reproduce calvano --grid 100x100 --dry-run
  fastgames reproduce calvano --grid 100x100 --shard 3/40 --out parts/
  fastgames reproduce calvano --grid 100x100 --merge parts/

With --checkpoint the same command goes on where it was interrupted. With
--dry-run it prints the memory and the time that it needs; sweep, calvano,
klein and waltman-kaymak, which are one run each, have this option.
--shard runs the third of forty parts of the sessions, numbered from 1, and
keeps their profit gains in a file of the folder --out; see fastgames run
--help. --merge, with the other options as they were, draws the parts that are
there.
Exit status 1 if something differs from what was expected.
"""

GAMES_EXAMPLES = """
Example:
  fastgames games

To play one: fastgames run NAME. Its parameters are options, or follow a
colon:
  fastgames run penalty --k -10
  fastgames run logit_bertrand:firms=3,mu=0.5
"""

LEARNERS_EXAMPLES = """
Example:
  fastgames learners

To choose one: fastgames run GAME --learner NAME. Its parameters are options,
--mixing 0.2, or come after a colon, exp3:low=-1,high=1. How it explores is
chosen with --epsilon or --temperature.
"""

SPEED_EXAMPLES = """
Columns:
  M steps/s  million game steps a second; in each, every agent takes one
             learning step
  textbook   how many times as fast as the loop that a textbook prints, in
             Python and NumPy
  bits       whether a few replicas come out to the bit as the slowest build
             makes them

Examples:
  fastgames speed
  fastgames speed --seconds 60 --threads 8
  FASTGAMES_ISA=v3 fastgames speed

The last one measures the build for AVX2 where there is AVX-512 as well.
"""

MERGE_EXAMPLES = """
Examples:
  fastgames merge parts/ --out all.zip
  fastgames merge parts/ more/shard-40-of-40.zip --out all.zip
  fastgames merge parts/ --out some.zip --partial
"""

SHARDS_EXAMPLES = """
Examples:
  fastgames shards --slurm -n 40 -- run chicken --replicas 10000 --seed 7 \\
      --out parts/ > chicken.sh
  fastgames shards --pbs -n 100 --cpus 4 --time 12:00:00 -- reproduce \\
      calvano --grid 100x100 --out parts/
  fastgames shards --sge -n 40 --memory 8 -- run klein --seed 7 --out parts/

After -- stands the command, without --shard. Edit the script: queues, modules
and names of environments differ from cluster to cluster. Tasks are numbered
from 1, so that some can be submitted again.
"""
