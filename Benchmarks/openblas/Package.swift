// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "openblas-comparison",
  dependencies: [.package(name: "lockstep", path: "../..")],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    // What the CPU's multiply-add units can do at most.
    .target(name: "CPeak", cSettings: [.unsafeFlags(["-O2"])]),
    .executableTarget(
      name: "sgemm",
      dependencies: ["COpenBLAS", "CPeak", .product(name: "Kernels", package: "lockstep")]),
  ],
  swiftLanguageModes: [.v6]
)
