# Detection of the CPU's instruction sets, called before a build of the kernels is imported.

cdef extern from *:
    """
    #if defined(__x86_64__) && defined(__GNUC__) && !defined(_MSC_VER)
    static int fg_x86_level(void) {
      __builtin_cpu_init();
      if (!(__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt"))) return 1;
      if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
            __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma"))) return 2;
      if (!(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl"))) return 3;
      return 4;
    }
    #else
    static int fg_x86_level(void) { return 0; }
    #endif
    """
    int fg_x86_level() nogil


def x86_level():
    """Return the x86-64 micro-architecture level of this CPU (1 to 4), or 0 on other CPUs and compilers."""
    return fg_x86_level()
