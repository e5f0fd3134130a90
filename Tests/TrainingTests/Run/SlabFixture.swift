@testable import NN

/// A slab of two tensors of seven elements in all, with padding between and behind them.
enum SlabFixture {
  static let values: [Float] = [1, 2, 3, 0.5, -1, 0, 4]

  static func slab(_ values: [Float] = values) -> Slab {
    var layout = SlabLayout()
    layout.append(name: "0.dense.bias", shape: Shape(3))
    layout.append(name: "odd \"name\"\\/é", shape: Shape(2, 2))
    let slab = Slab(layout, tail: 2)
    // What is no tensor's must not be seen.
    for i in slab.all.indices { slab.all[i] = 99 }
    for (i, value) in values.enumerated() {
      let tensor = layout.tensors[i < 3 ? 0 : 1]
      slab.elements(of: tensor)[i < 3 ? i : i - 3] = value
    }
    return slab
  }
}
