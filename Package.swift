// swift-tools-version: 6.2
import PackageDescription

// One source folder, compiled once per instruction set: KernelsAVX2 and KernelsAVX512 are symbolic
// links to KernelsBaseline. The flags hold in debug builds too, so that tests run the kernels that
// users run; whole modules at a time, so that small functions are inlined across files there too.
// `-Xcc` flags set the target features of Swift's own code generation, and that a square root is one
// instruction and not a call that could set errno.
let kernelFlags = [
  "-Ounchecked", "-wmo", "-num-threads", "1", "-disable-batch-mode", "-Xcc", "-fno-math-errno",
]
#if arch(x86_64)
  let avx2Flags = ["-mavx2", "-mfma", "-mf16c", "-mbmi2"].flatMap { ["-Xcc", $0] }
  let avx512Flags =
    avx2Flags
    + ["-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq", "-mprefer-vector-width=512"]
    .flatMap { ["-Xcc", $0] }
  let kernelSets: [Target] = [
    .target(
      name: "KernelsBaseline", dependencies: ["CKernels"],
      swiftSettings: [.unsafeFlags(kernelFlags)]),
    .target(
      name: "KernelsAVX2", dependencies: ["CKernels"],
      swiftSettings: [.define("KERNELS_AVX2"), .unsafeFlags(kernelFlags + avx2Flags)]),
    .target(
      name: "KernelsAVX512", dependencies: ["CKernels"],
      swiftSettings: [.define("KERNELS_AVX512"), .unsafeFlags(kernelFlags + avx512Flags)]),
  ]
#else
  // NEON is part of the arm64 baseline, fused multiply-add included.
  let kernelSets: [Target] = [
    .target(
      name: "KernelsBaseline", dependencies: ["CKernels"],
      swiftSettings: [.unsafeFlags(kernelFlags)])
  ]
#endif

let package = Package(
  name: "lockstep",
  products: [
    .executable(name: "lockstep", targets: ["lockstep"]),
    .library(name: "MPI", targets: ["MPI"]),
    .library(name: "Collective", targets: ["Collective"]),
    .library(name: "Kernels", targets: ["Kernels"]),
    .library(name: "NN", targets: ["NN"]),
  ],
  dependencies: [
    // The command line: parsing, help, completion, EX_USAGE on misuse.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // The configuration: YAML with the line and column of every node.
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C boundary.
    .systemLibrary(
      name: "CMPI", pkgConfig: "ompi-c",
      providers: [.apt(["libopenmpi-dev"]), .yum(["openmpi-devel"]), .brew(["open-mpi"])]),
    .systemLibrary(name: "CCPU"),
    .systemLibrary(name: "CProcess"),
    .systemLibrary(name: "CKernels"),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"]), .yum(["zlib-devel"]), .brew(["zlib"])]),
    // SHA-256 of the parameters, by which replicas and runs are compared. The system's library:
    // swift-crypto would more than double the time of a first build.
    .systemLibrary(
      name: "CCrypto", pkgConfig: "libcrypto",
      providers: [.apt(["libssl-dev"]), .yum(["openssl-devel"]), .brew(["openssl"])]),
    .target(name: "MPI", dependencies: ["CMPI"]),

    // One process's arithmetic.
    .target(
      name: "Kernels",
      dependencies: ["CCPU", "CKernels"] + kernelSets.map { .init(stringLiteral: $0.name) },
      swiftSettings: [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    .target(name: "NN", dependencies: ["Kernels"]),

    // Many processes' sums, and the data.
    // Optimized in debug builds too: tests prove thousands of schedules symbolically.
    .target(
      name: "Collective", dependencies: ["CCPU", "MPI", "Kernels"],
      swiftSettings: [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    .target(name: "Datasets", dependencies: ["CCPU", "CZlib", "Kernels"]),

    // The job.
    .target(
      name: "Training",
      dependencies: [
        "CCPU", "CCrypto", "Collective", "Datasets", "NN", "Kernels",
        .product(name: "Yams", package: "Yams"),
      ]),
    .target(name: "Experiments", dependencies: ["CCPU", "CProcess"]),
    // Optimized in debug builds too: tests check results of many megabytes.
    .target(
      name: "Benchmarks",
      dependencies: ["Collective", "MPI", "Kernels", "Experiments", "Training"],
      swiftSettings: [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    .executableTarget(
      name: "lockstep",
      dependencies: [
        "Training", "Experiments", "Benchmarks", "Collective", "Kernels", "MPI",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Tests. The bundle never starts MPI itself: it starts mpirun on RankCases and on the product.
    .target(name: "TestSupport", path: "Tests/Support"),
    .target(name: "CAllocations", path: "Tests/CAllocations"),
    .target(name: "CRecorders", path: "Tests/CRecorders"),
    // Optimized in debug builds too: cases check millions of elements.
    .executableTarget(
      name: "RankCases",
      dependencies: ["CAllocations", "MPI", "Collective", "Kernels", "NN", "Training"],
      path: "Tests/RankCases",
      swiftSettings: [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    // Saves checkpoints until a test ends it, or its disk does.
    .executableTarget(
      name: "CheckpointCases", dependencies: ["Training", "NN"], path: "Tests/CheckpointCases"),
    .testTarget(
      name: "KernelsTests", dependencies: ["Kernels", "TestSupport"], exclude: ["Arm64"]),
    .testTarget(
      name: "NNTests", dependencies: ["NN", "Kernels", "TestSupport"], exclude: ["Oracles"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "Kernels", "TestSupport"]),
    .testTarget(name: "CollectiveTests", dependencies: ["Collective", "Kernels", "TestSupport"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Training", "CheckpointCases", "Collective", "Datasets", "NN", "Kernels", "TestSupport",
      ],
      exclude: ["Oracles", "Disks"]),
    .testTarget(name: "ExperimentsTests", dependencies: ["Experiments", "TestSupport"]),
    .testTarget(
      name: "BenchmarksTests",
      dependencies: ["Benchmarks", "CKernels", "CRecorders", "Collective", "Kernels"]),
    .testTarget(
      name: "ProductTests",
      dependencies: ["lockstep", "RankCases", "Collective", "Kernels", "TestSupport"],
      exclude: ["Cluster", "Soak"]),
  ] + kernelSets,
  swiftLanguageModes: [.v6]
)
