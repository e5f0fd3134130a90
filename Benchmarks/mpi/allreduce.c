// Times MPI_Allreduce of float sums in place with whatever MPI it is built against, the way
// `lockstep bench allreduce --buffers cached` times ours: single calls, each from a barrier to the
// end of the slowest rank, and calls that follow each other without one. Prints
//
//     bytes  calls  median (us)  stream (us)
//
// and ends with exit code 1 if a sum is wrong.
//
// usage: mpirun -n 2 ./allreduce [LARGEST_BYTES [SECONDS_PER_SIZE]]
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void reduce(float *buffer, int count) {
  MPI_Allreduce(MPI_IN_PLACE, buffer, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

// Integers whose sums are exact; their sum over all ranks.
static float fill(float *buffer, int count, int rank, int ranks, int index) {
  if (buffer)
    for (int i = 0; i < count; i++) buffer[i] = (float)(i % 1021 + rank);
  return (float)(ranks * (index % 1021) + ranks * (ranks - 1) / 2);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  size_t largest = argc > 1 ? strtoull(argv[1], NULL, 10) : 64u << 20;
  double budget = argc > 2 ? atof(argv[2]) : 1;
  int rank, ranks, length;
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  MPI_Get_library_version(version, &length);
  version[strcspn(version, "\n")] = 0;
  if (rank == 0) printf("# %s, %d ranks\n", version, ranks);

  enum { most = 5000, warm = 20 };
  double *times = malloc(most * sizeof *times), *slowest = malloc(most * sizeof *slowest);
  float *buffer = malloc(largest);
  if (!times || !slowest || !buffer) MPI_Abort(MPI_COMM_WORLD, 1);
  for (size_t bytes = 4; bytes <= largest; bytes *= 4) {
    int count = (int)(bytes / 4);
    fill(buffer, count, rank, ranks, 0);
    reduce(buffer, count);
    for (int i = 0; i < count; i++)
      if (buffer[i] != fill(NULL, 0, rank, ranks, i)) {
        fprintf(stderr, "rank %d: element %d of %d is wrong\n", rank, i, count);
        MPI_Abort(MPI_COMM_WORLD, 1);
      }

    // From here on only the time matters; zeros stay zeros.
    for (int i = 0; i < count; i++) buffer[i] = 0;
    double start = MPI_Wtime();
    for (int i = 0; i < warm; i++) reduce(buffer, count);
    int calls = (int)(budget / 2 / ((MPI_Wtime() - start) / warm));
    calls = calls < 10 ? 10 : calls > most ? most : calls;
    MPI_Bcast(&calls, 1, MPI_INT, 0, MPI_COMM_WORLD);
    for (int i = 0; i < calls; i++) {
      MPI_Barrier(MPI_COMM_WORLD);
      start = MPI_Wtime();
      reduce(buffer, count);
      times[i] = MPI_Wtime() - start;
    }
    MPI_Reduce(times, slowest, calls, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    start = MPI_Wtime();
    for (int i = 0; i < calls; i++) reduce(buffer, count);
    double own = (MPI_Wtime() - start) / calls, stream = 0;
    MPI_Reduce(&own, &stream, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    if (rank == 0) {
      qsort(slowest, calls, sizeof *slowest, ascending);
      printf("%10zu %6d %10.2f %10.2f\n", bytes, calls, slowest[calls / 2] * 1e6, stream * 1e6);
    }
  }
  MPI_Finalize();
}
