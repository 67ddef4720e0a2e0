#!/bin/bash
# One run of a sweep in each task of a Slurm array: sbatch deploy/slurm-array.sh
# Set --array to the runs of the plan: `gan-onnx sweep plan.json` tells how many there are.
#SBATCH --job-name=gan-onnx
#SBATCH --array=0-5%3
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --output=slurm-%A_%a.txt
#SBATCH --open-mode=append
# A task that is preempted, or whose node fails, is queued again.
#SBATCH --requeue
# Two minutes before the time is up: save and exit.
#SBATCH --signal=TERM@120
set -u

status=0
srun gan-onnx sweep plan.json --out sweeps/plan --task-from SLURM_ARRAY_TASK_ID || status=$?

# 143: stopped by SIGTERM and saved. Where Slurm queues it again itself, this has nothing to do.
if [ "$status" -eq 143 ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}" || true
fi
exit "$status"
