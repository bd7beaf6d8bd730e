#!/bin/sh
#SBATCH --job-name=allometry
#SBATCH --array=1-8
#SBATCH --cpus-per-task=4
#SBATCH --gpus-per-task=1
#SBATCH --time=04:00:00
#SBATCH --signal=TERM@120
#SBATCH --requeue
set -eu
# ALLOMETRY_STORAGE comes from the submitting shell, the password from ~/.pgpass. Slurm sets CUDA_VISIBLE_DEVICES itself.
exec srun allometry worker --folder "$SLURM_SUBMIT_DIR" --workers 1 --until 3h50m
