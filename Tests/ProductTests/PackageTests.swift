import Foundation
import TestSupport
import Testing

/// The library products, as another package sees them. The compiler works beside `ProductTests`.
struct PackageTests {
  @Test(
    "another package depends on this one by version and runs an allreduce",
    .thorough)
  func dependent() throws {
    let folder = try TemporaryDirectory()
    // A repository with a version, of what is in the working tree.
    let release = """
      set -e
      mkdir library && cp -a "$0/Package.swift" "$0/Sources" "$0/Tests" library && cd library
      git init -q && git add -A
      git -c user.name=test -c user.email=test@example.org commit -q -m release && git tag 0.1.0
      """
    let released = try Command(
      ["bash", "-c", release, Location.package], directory: folder.path
    ).run()
    #expect(released.status == 0, "\(released.errors)")

    let app = folder.path + "/app"
    try FileManager.default.createDirectory(
      atPath: app + "/Sources/app", withIntermediateDirectories: true)
    _ = try folder.file(
      "app/Package.swift",
      """
      // swift-tools-version: 6.2
      import PackageDescription

      let package = Package(
        name: "app",
        dependencies: [.package(url: "file://\(folder.path)/library", from: "0.1.0")],
        targets: [
          .executableTarget(
            name: "app",
            dependencies: [
              .product(name: "MPI", package: "library"),
              .product(name: "Collective", package: "library"),
            ])
        ])
      """)
    _ = try folder.file(
      "app/Sources/app/main.swift",
      """
      import Collective
      import MPI

      try Session.run { world in
        let group = try ProcessGroup(world)
        var values = [Float](repeating: Float(world.rank + 1), count: 4)
        try values.withUnsafeMutableBufferPointer {
          try group.allreduce($0)
        }
        print(values)
      }
      """)
    let built = try Command(
      ["swift", "build", "--disable-dependency-cache"], directory: app, timeLimit: 600
    ).run()
    #expect(built.status == 0, "\(built.output)\(built.errors)")
    let result = try Launching.mpirun(3, [app + "/.build/debug/app"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(
      result.output == String(repeating: "[6.0, 6.0, 6.0, 6.0]\n", count: 3), "\(result.output)")
  }
}
