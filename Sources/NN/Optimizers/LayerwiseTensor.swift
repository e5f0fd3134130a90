/// A tensor for an optimizer that gives each one a rate of its own.
struct LayerwiseTensor {
  /// In the slabs.
  let range: Range<Int>
  /// Whether it has a rate of its own, and decays. A vector - a bias, a normalization's scale or
  /// shift - may be left out of both: the ratio of its norms says little, and a decay of it regularizes
  /// nothing.
  let isAdapted: Bool

  /// All tensors of a layout, with the vectors left out if `values` say so.
  static func all(of layout: SlabLayout, _ values: SettingValues) -> [LayerwiseTensor] {
    let excludesVectors = values[flag: Setting.excludeVectors.name]
    return layout.tensors.map {
      LayerwiseTensor(
        range: $0.range, isAdapted: !(excludesVectors && $0.shape.dimensions.count <= 1))
    }
  }
}

extension Setting {
  static let excludeVectors = flag("exclude-vectors", default: false)
}
