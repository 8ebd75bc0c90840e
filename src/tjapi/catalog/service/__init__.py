"""The verbs of the catalog: its content in one file, copies and files that travel in the other."""

from tjapi.catalog.models import Department, ExamPackage, ExternalCode, Item, ItemGroup, ItemRange, ItemUnit
from tjapi.catalog.service.content import (
    HeldRanges,
    PackageOption,
    add_item_group,
    add_package,
    change_item_group,
    choose_range,
    choose_ranges,
    departments,
    describe_item,
    describe_item_group,
    describe_package,
    exclusions,
    external_codes_page,
    group_items,
    hold_ranges,
    item,
    item_codes,
    item_groups,
    item_groups_of_codes,
    item_groups_page,
    item_of_external_code,
    items,
    items_of_external_codes,
    items_page,
    left_out_items,
    load_starter,
    map_external_code,
    outside_lab_in_use,
    outside_labs,
    package,
    package_groups,
    package_options,
    packages_of_codes,
    packages_page,
    place_departments,
    put_exclusions,
    put_outside_lab,
    read_starter,
    units,
)
from tjapi.catalog.service.exchange import copy_package, export_catalog, import_catalog

__all__ = [
    "Department", "ExamPackage", "ExternalCode", "HeldRanges", "Item", "ItemGroup", "ItemRange", "ItemUnit", "PackageOption", "add_item_group", "add_package", "change_item_group", "choose_range", "choose_ranges", "copy_package", "departments", "describe_item", "describe_item_group", "describe_package", "exclusions", "export_catalog", "external_codes_page", "group_items", "hold_ranges", "import_catalog", "item", "item_codes", "item_groups", "item_groups_of_codes", "item_groups_page", "item_of_external_code", "items", "items_of_external_codes", "items_page", "left_out_items", "load_starter", "map_external_code", "outside_lab_in_use", "outside_labs", "package", "package_groups", "package_options", "packages_of_codes", "packages_page", "place_departments", "put_exclusions", "put_outside_lab", "read_starter", "units",
]  # fmt: skip
