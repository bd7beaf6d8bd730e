/* A wall clock that is set while a process runs: loaded before the C library, it adds the seconds in the file that
   CLOCK_OFFSET names to the time of day, and leaves the clocks that are never set as they are. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int failed = (int)syscall(SYS_clock_gettime, clock, time);
    if (failed == 0 && clock == CLOCK_REALTIME) {
        FILE *file = fopen(getenv("CLOCK_OFFSET"), "r");
        long offset = 0;
        if (file != NULL) {
            if (fscanf(file, "%ld", &offset) != 1)
                offset = 0;
            fclose(file);
        }
        time->tv_sec += offset;
    }
    return failed;
}
