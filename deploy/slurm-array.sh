#!/bin/bash
# One run of a sweep in each task of a Slurm array: sbatch deploy/slurm-array.sh
# Set --array to the runs of the plan: `gan-onnx sweep plan.json` prints their number.
#SBATCH --job-name=gan-onnx
#SBATCH --array=0-5%3
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --output=slurm-%A_%a.txt
#SBATCH --open-mode=append
# Queue a task again when it is preempted or its node fails.
#SBATCH --requeue
# Save and exit two minutes before the time limit.
#SBATCH --signal=TERM@120
set -u

status=0
srun gan-onnx sweep plan.json --out sweeps/plan --task-from SLURM_ARRAY_TASK_ID || status=$?

# 143: stopped by SIGTERM and saved. Queue the task again, unless Slurm does it.
if [ "$status" -eq 143 ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}" || true
fi
exit "$status"
