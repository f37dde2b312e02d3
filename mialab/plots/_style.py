"""The colours and shapes of the whole course: each legible as text on white, and distinct in shape as well."""

MEMBER = {"color": "#BF4E00", "marker": "o"}  # filled circles
STRANGER = {"color": "#1B3A6B", "marker": "s", "markerfacecolor": "white"}  # hollow squares
SPECIES = {
    "setosa": {"color": "#2F7D52", "marker": "o"},
    "versicolor": {"color": "#7B4EA3", "marker": "^"},
    "virginica": {"color": "#8F6310", "marker": "s"},
}
PLAIN = "#0B7285"  # what is neither a member nor a stranger nor a species: the first of the style's own colours
CHANCE = {"color": "#5f6672", "linestyle": (0, (4, 3)), "linewidth": 1.3}
PALETTE = {name: style["color"] for name, style in SPECIES.items()}  # for seaborn's `palette=`
MARKERS = {name: style["marker"] for name, style in SPECIES.items()}  # for seaborn's `markers=`
