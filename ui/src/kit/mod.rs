//! The kit: controls that know nothing of jobs. Pages use them by name and bring the words.
//!
//! | component | takes |
//! |---|---|
//! | `Icon` | `shape: Shape`, `size: IconSize`, `spin` |
//! | `Button` | children, `kind: ButtonKind`, `icon`, `key_hint`, `busy`, `disabled: Option<reason>`, `on_click: Callback<()>`, `small`, `label`, `pressed`, `submit` |
//! | `Field` | `label`, `note`, `hint`, `error`, one control as child: `Input`, `TextArea`, `Select` |
//! | `Input` | `value`, `on_input: Callback<String>`, `on_enter`, `placeholder`, `kind`, `mono`, `max_length`, `autofocus`, `label` |
//! | `Select` | `value`, `options: Vec<(value, label)>`, `on_change: Callback<String>` |
//! | `Checkbox`, `Switch`, `Segmented` | `checked: Checked` / `on` / `value` + `options`; `on_toggle` / `on_choose` |
//! | `Tag`, `FilterChip`, `KeyHint` | children / `name`, `value`, `on_remove` / `keys` |
//! | `Tabs` | `label`, `tabs: Vec<Tab>` (`Tab::new(id, label).counting(..)`), `current`, `on_choose: Callback<AttrValue>`, right-end children |
//! | `Table` | `label`, `body: TableBody` (of rows, `fn(&T) -> String` and columns: `list.state.rows` or an `Rc<Vec<T>>`, with `Rc<Vec<Column<T>>>` in `use_memo`), `lines`, `total`, `selected: Option<Selection>`, `on_select`, `current`, `on_open: Option<Callback<String>>`, `on_more`, `loading`, `on_sort`, `on_hold`, `main` |
//! | `Column::new(id, title, Width::Fixed(px) \| Width::Share(fr, least), \|row\| html!{..})` | `.at_end()`, `.drops_below(px)`, `.sorted(..)` |
//! | `Dialog` | `title`, `subject`, `size`, children (each `<div class="in">`), `footer`, `on_close`, `on_confirm`; open while mounted |
//! | `Drawer` | `label`, `head`, `verbs`, children, `foot`, `on_close`; open while mounted; put it beside the list in `<div class="with-drawer">` |
//! | `Banner` | `tone`, `fact`, children, `action`, `icon` |
//! | `Meter` | `share` 0..1, `label`, `tone` |
//! | `Stack` | `label`, `parts: Vec<StackPart { label, weight, fill }>` |
//! | `ProgressSegments` | `label`, `phases: Vec<Phase { label, weight, state: PhaseState }>` |
//! | `HeatStrip` | `label`, `rows: Vec<HeatRow { label, cells: Vec<HeatCell { id, label, state: HeatState }> }>`, `on_open` |
//! | `HeatGrid` | `label`, `rows: Vec<HeatGridRow { key, head, cells: Vec<(number, words)> }>` |
//! | `Sparkline` | `values: Vec<f64>`, `label`, `tone` |
//! | `AreaChart` | `label`, `times: Vec<Micros>`, `series: Vec<Series { label, values }>` (second stacked on first), `threshold` |
//! | `GraphView` | `label`, `graph: Rc<Graph { nodes, edges }>`, `current`, `on_choose`, `on_open`, children and `tools` over it; arrows follow the lines, F fits |
//! | `GanttChart` | `label`, `lanes`, `bars`, `span: Span { from, to }` in ms, `now`, `clock`, `current`, `on_choose`, `on_open` |
//! | `Stretches` | `label`, `parts: Vec<Stretch { ms, fill, shape, head, foot }>` |
//! | `RangeMap` | `label`, `cells: Rc<Vec<MapCell { label, fill: MapFill }>>`, `rows` (7 for weeks), `lead`, `heads`, `sides`, `selected: Option<(first, last)>`, `on_select`, `on_open`; drawn over with the pointer, or Shift and arrows |
//! | `Ring` | `share`, `label`, `tone` |
//! | `CommandLine`, `CopyId` | `command` / `text`, `shown` |
//! | `TimeAgo`, `Elapsed`, `Countdown`, `Clock` | `at` / `from`, `until` / `until`, `over` / `at`: `Micros` |
//! | `Empty` | `icon`, `tone`, `fact`, children (why), `actions` |
//! | `Skeleton` | `rows`; shows after 300 ms |
//!
//! Functions: `format::{count, counted, percent, duration, duration_short, clock, date_time, bytes, short_id,
//! short_digest}`, `use_css_vars(node, vars)`, `use_element_id(what)`, `save_file(name, text)`, `use_keys(|key: &Key| used)`, `copy_text(text)`.
//!
//! Classes of `styles/` that pages may use: `page-head`, `body`, `sec`, `sec-h`, `split`, `figs`/`fig` (`l`, `v`, `s`),
//! `kv`, `row`, `col`, `grow`, `cut`, `f2`, `f3`, `sm`, `xs`, `b`, `mono`, `nw`, `a.n` (number that is a link),
//! `a.link`, `tbl` (short plain tables), `sel-bar`, `chip`, `code`, `log`.

mod banner;
mod button;
mod chart;
mod choice;
pub mod column;
mod copy;
mod css;
mod dialog;
mod drawer;
mod empty;
mod field;
pub mod format;
pub mod gantt;
pub mod graph;
mod heat;
mod heat_grid;
mod icon;
mod keys;
pub mod measure;
mod meter;
mod range_map;
mod ring;
pub mod row;
mod save;
mod sheet;
mod stretches;
mod table;
mod table_body;
mod tabs;
mod tag;
mod time;
mod toast;
mod tone;
pub mod window;

pub use banner::{Banner, BannerProps};
pub use button::{Button, ButtonKind, ButtonProps};
pub use chart::{AreaChart, AreaChartProps, Series, Sparkline, SparklineProps, Threshold};
pub use choice::{Checkbox, CheckboxProps, Checked, Segmented, SegmentedProps, Switch, SwitchProps};
pub use column::{Align, Column, Sort, Width};
pub use copy::{CommandLine, CommandLineProps, CopyId, CopyIdProps, copy_text, use_copy};
pub use css::{set_css_vars, use_css_vars, use_element_id};
pub use dialog::{Dialog, DialogProps, DialogSize, focused, use_modal};
pub use drawer::{Drawer, DrawerProps};
pub use empty::{Empty, EmptyProps, Skeleton, SkeletonProps};
pub use field::{Field, FieldProps, Input, InputProps, Select, SelectProps, TextArea, TextAreaProps};
pub use gantt::{BarLook, GanttBar, GanttChart, GanttChartProps, GanttLane};
pub use graph::{EdgeLook, Graph, GraphEdge, GraphNode, GraphView, GraphViewProps};
pub use heat::{HeatCell, HeatRow, HeatState, HeatStrip, HeatStripProps, Paleness};
pub use heat_grid::{HeatGrid, HeatGridProps, HeatGridRow};
pub use icon::{Icon, IconProps, IconSize, Shape, Symbols};
pub use keys::{Key, set_single_keys, use_keys};
pub use meter::{
    Meter, MeterProps, Phase, PhaseState, ProgressSegments, ProgressSegmentsProps, Stack, StackPart,
    StackProps,
};
pub use range_map::{CellRange, MapCell, MapFill, RangeMap, RangeMapProps};
pub use ring::{Ring, RingProps};
pub use save::save_file;
pub use sheet::{Pages, Sheet};
pub use stretches::{Stretch, StretchFill, Stretches, StretchesProps};
pub use table::{Lines, Selection, Table, TableProps};
pub use table_body::TableBody;
pub use tabs::{Tab, Tabs, TabsProps};
pub use tag::{FilterChip, FilterChipProps, KeyHint, KeyHintProps, Tag, TagProps};
pub use time::{Clock, ClockProps, Countdown, CountdownProps, Elapsed, ElapsedProps, TimeAgo, TimeAgoProps};
pub use toast::{Toast, ToastHost, ToastHostProps};
pub use tone::Tone;
