import Foundation
import TestSupport
import Testing

/// The library products, as another package sees them. The compiler works beside `ProductTests`.
struct PackageTests {
  @Test(
    "another package depends on this one by version, runs an allreduce, and adds a layer",
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
    for target in ["app", "layer"] {
      try FileManager.default.createDirectory(
        atPath: "\(app)/Sources/\(target)", withIntermediateDirectories: true)
    }
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
            ]),
          .executableTarget(
            name: "layer",
            dependencies: [
              .product(name: "Kernels", package: "library"),
              .product(name: "NN", package: "library"),
            ]),
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
    _ = try folder.file("app/Sources/layer/main.swift", ownLayer)
    let built = try Command(
      ["swift", "build", "--disable-dependency-cache"], directory: app, timeLimit: 600
    ).run()
    #expect(built.status == 0, "\(built.output)\(built.errors)")
    let result = try Launching.mpirun(3, [app + "/.build/debug/app"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(
      result.output == String(repeating: "[6.0, 6.0, 6.0, 6.0]\n", count: 3), "\(result.output)")

    let layer = try Command([app + "/.build/debug/layer"], timeLimit: 60).run()
    #expect(layer.status == 0, "\(layer.errors)")
    // Of the samples 1 2, 3 6 and 5 1, whose means are 3 and 3.
    #expect(
      layer.output == """
        ["0.centred.factor"]
        [-2.0, -1.0, 0.0, 3.0, 2.0, -2.0]
        gradient by the factor [-4.0, -3.0]

        """)
  }
}

/// A layer with a parameter, a workspace and a sum over the batch, by what is public.
private let ownLayer = """
  import Kernels
  import NN

  /// y = factor (x - the batch's mean of x).
  final class Centred: Layer {
    let kind = "centred"
    let inputShape: Shape
    var outputShape: Shape { inputShape }
    let parameters: [Parameter]
    let backwardReads: BackwardReads = []
    var batchSums: [Int] { [width] }
    private var width: Int { inputShape.count }

    init(_ shape: Shape) {
      inputShape = shape
      parameters = [Parameter("factor", shape, .one)]
    }

    /// x - mean, and then dy (x - mean).
    func workspaceCount(rows: Int) -> Int { 2 * rows * width }

    func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) throws {
      let sums = try pass.sumOverBatch(width: width) { shards, sums in
        pass.kernels.sumRows(x, over: shards, into: sums)
      }
      let centred = Matrix(memory.workspace, rows: x.rows, columns: width)
      for i in 0..<x.rows {
        for j in 0..<width {
          centred.row(i)[j] = x.row(i)[j] - sums[j] / Float(pass.globalRows)
          y.row(i)[j] = memory.weights[0][j] * centred.row(i)[j]
        }
      }
    }

    func backward(
      _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
    ) {
      let centred = Matrix(memory.workspace, rows: dy.rows, columns: width)
      let products = Matrix(memory.workspace + dy.count, rows: dy.rows, columns: width)
      for k in 0..<dy.count { products.base[k] = dy.base[k] * centred.base[k] }
      pass.kernels.sumRows(products, over: pass.shards, into: memory.gradients[0])
      precondition(dx == nil, "the first layer passes no gradient on")
    }
  }

  let plan = try NetworkPlan(
    [LayerSpecification("centred") { Centred($0) }], inputShape: Shape(2))
  let network = Network(plan, maximumRows: 3)
  network.initialize(seed: 1)
  var samples: [Float] = [1, 2, 3, 6, 5, 1]
  try samples.withUnsafeMutableBufferPointer { samples in
    let inputs = Matrix(samples.baseAddress!, rows: 3, columns: 2)
    let pass = Pass(
      kernels: KernelSet(.baseline), shards: ShardRows(undivided: 3), mode: .training)
    let outputs = try network.forward(inputs, pass: pass)
    print(network.layout.tensors.map(\\.name))
    print(Array(outputs.elements))
    let gradient = network.outputGradient(rows: 3)
    for (i, dy) in [1, 2, 0, 0, -1, 0.5].enumerated() { gradient.base[i] = Float(dy) }
    try network.backward(throughStage: 0, inputs: inputs, pass: pass)
    let tensor = network.layout.tensors[0]
    print("gradient by the factor", Array(network.gradients.elements(of: tensor)))
  }
  """
