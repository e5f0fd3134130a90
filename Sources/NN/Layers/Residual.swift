/// y = f(x) + x, where f is a row of layers, or f(x) + g(x) with a shortcut of layers g (He, Zhang,
/// Ren & Sun, CVPR 2016). The network takes it apart: it is no layer, but a way of joining layers.
enum Residual {
  static let definition = LayerDefinition(
    "residual", main: "layers", example: "{residual: [{dense: 64}, relu]}"
  ) { settings -> LayerSpecification.Content in
    let layers = settings.layers("layers")
    return .residual(
      layers, shortcut: settings.layers("shortcut", default: [], prefix: "shortcut."))
  }
}
